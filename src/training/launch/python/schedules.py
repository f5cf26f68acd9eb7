# Owns learning rates by step, as a Pharos specification has them.
# Refuses to know models and updates. Needs no package.

import math


def rate_of(schedule, total):
    """Learning rate by step, as src/training/optimizers/schedules.ts of Pharos has it."""
    kind, warmup = schedule["kind"], schedule["warmup"]
    milestones = schedule.get("milestones", [])
    starts = [math.floor(each * total + 0.5) if each < 1 else each for each in milestones]
    for (before, start), (own, step) in zip(zip(milestones, starts), zip(milestones[1:], starts[1:])):
        if not (own > before if (before < 1) == (own < 1) else step > start):
            raise ValueError(f"schedule: milestone {own} (step {step}) does not come after {before} (step {start}); milestones must rise")

    def shape(step):
        progress = min(1, max(0, (step - warmup) / max(1, total - warmup)))
        if kind == "constant":
            return 1
        if kind == "linear":
            return 1 - (1 - schedule["floor"]) * progress
        if kind == "cosine":
            return schedule["floor"] + (1 - schedule["floor"]) * 0.5 * (1 + math.cos(math.pi * progress))
        gammas = schedule["gamma"] if isinstance(schedule["gamma"], list) else [schedule["gamma"]] * len(starts)
        return math.prod(gamma for start, gamma in zip(starts, gammas, strict=True) if step >= start)

    return lambda step: schedule["peak"] * min(1, (step + 1) / max(1, warmup)) * shape(step)
