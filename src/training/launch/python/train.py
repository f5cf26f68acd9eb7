# Owns a run by a Pharos specification (spec.json beside it) on several machines: DDP or FSDP by torchrun, or workers of Ray (--ray).
# Refuses to know Pharos: it needs torch 2.9 and transformers 4.56, or later ones, and for --ray also ray[train].

import argparse
import contextlib
import datetime
import json
import math
import os
import time
from pathlib import Path

import torch
import torch.distributed as dist
import torch.nn.functional as F
from torch.distributed.checkpoint.state_dict import StateDictOptions, get_model_state_dict, get_state_dict, set_model_state_dict, set_state_dict
from transformers import AutoConfig, AutoModelForCausalLM, AutoTokenizer, GenerationConfig

import adapters
import examples
from schedules import rate_of

FULL = StateDictOptions(full_state_dict=True, cpu_offload=True)
TRAINED = StateDictOptions(full_state_dict=True, cpu_offload=True, ignore_frozen_params=True, strict=False)


def optimizers_of(model, spec, sharded):
    """Optimizers whose groups say by `factor` what they multiply the rate by."""
    trained = [(name, p) for name, p in model.named_parameters() if p.requires_grad]

    def adam(parameters, betas, epsilon, decay, factor):
        parts = [([p for _, p in parameters if p.ndim > 1], decay), ([p for _, p in parameters if p.ndim <= 1], 0)]
        return torch.optim.AdamW([{"params": part, "weight_decay": own, "factor": factor} for part, own in parts if part], betas=betas, eps=epsilon)

    optimizer = spec["optimizer"]
    if optimizer["kind"] == "adamw":
        return [adam(trained, (optimizer["beta1"], optimizer["beta2"]), optimizer["epsilon"], optimizer["weight_decay"], 1)]
    if sharded:
        raise ValueError("optimizer: muon needs whole matrices, and FSDP cuts them; use --parallel ddp or adamw")
    hidden = [(name, p) for name, p in trained if p.ndim == 2 and adapters.IN_LAYER.search(name)]
    chosen = {name for name, _ in hidden}
    rest = [(name, p) for name, p in trained if name not in chosen]
    muon = torch.optim.Muon([{"params": [p for _, p in hidden], "factor": 1}], weight_decay=optimizer["weight_decay"], momentum=optimizer["momentum"], adjust_lr_fn="match_rms_adamw")
    return [muon] + ([adam(rest, (0.9, 0.95), 1e-8, optimizer["weight_decay"], optimizer["adam_rate"])] if rest else [])


class Run:
    def __init__(self, spec, parallel):
        self.spec, self.sharded = spec, parallel == "fsdp"
        cuda = torch.cuda.is_available()
        self.device = torch.device("cuda", int(os.environ.get("LOCAL_RANK", 0)) % max(1, torch.cuda.device_count())) if cuda else torch.device("cpu")
        if cuda:
            torch.cuda.set_device(self.device)
        else:
            torch.set_num_threads(spec["threads"])
        if not dist.is_initialized():
            dist.init_process_group("nccl" if cuda else "gloo", timeout=datetime.timedelta(hours=6))
        self.rank, self.world = dist.get_rank(), dist.get_world_size()
        if self.world != spec["workers"]:
            raise ValueError(f"workers: the specification says {spec['workers']}, and {self.world} were started")
        if spec["precision"] == "mixed" and not cuda:
            raise ValueError("precision: mixed needs a GPU; use float32")
        self.half = (torch.bfloat16 if torch.cuda.is_bf16_supported() else torch.float16) if spec["precision"] == "mixed" else None
        self.scaler = torch.amp.GradScaler(enabled=self.half == torch.float16)
        self.folder = Path(spec["output"]) / "training"
        self.folder.mkdir(parents=True, exist_ok=True)
        self.step, self.tokens, self.stale, self.best = 0, 0, 0, None
        torch.manual_seed(spec["seed"])
        self.open_model()
        torch.manual_seed(spec["seed"] + self.rank)

    def emit(self, kind, **event):
        if self.rank == 0:
            print(json.dumps({"kind": kind, **event}), flush=True)

    def open_model(self):
        spec = self.spec
        config = AutoConfig.from_pretrained(spec["model"])
        limit = getattr(config, "max_position_embeddings", spec["context"])
        if spec["context"] > limit:
            raise ValueError(f"context: the model takes rows of at most {limit} tokens, not {spec['context']}")
        self.tokenizer = AutoTokenizer.from_pretrained(spec["model"])
        # Only written out does attention cap its scores (Gemma 2).
        attention = "eager" if getattr(config, "attn_logit_softcapping", None) else "sdpa"
        model = AutoModelForCausalLM.from_pretrained(spec["model"], dtype=torch.float32, attn_implementation=attention).to(self.device)
        self.parameters = sum(p.numel() for p in model.parameters())
        if spec["method"]["kind"] == "lora":
            adapters.adapt(model, spec["method"]["rank"], spec["method"]["alpha"], spec["method"].get("targets"))
        adapters.set_dropout(model, spec["dropout"])
        self.plain = model
        if self.sharded:
            from torch.distributed.fsdp import fully_shard

            for name, module in model.named_modules():
                if adapters.IN_LAYER.search(f"{name}.") and name.rsplit(".", 1)[-1].isdigit() and name.count(".layers.") + name.count(".h.") == 1:
                    fully_shard(module)
            self.model = fully_shard(model)
        else:
            ids = [self.device.index] if self.device.type == "cuda" else None
            self.model = torch.nn.parallel.DistributedDataParallel(model, device_ids=ids)
        self.optimizers = optimizers_of(model, spec, self.sharded)

    def sequences(self, files, name):
        """The first worker reads and writes them down, where the others map them into memory."""
        path = self.folder / f"{name}.tokens.pt"
        if self.rank == 0:
            ends = GenerationConfig.from_model_config(self.plain.config) if not (Path(self.spec["model"]) / "generation_config.json").exists() else GenerationConfig.from_pretrained(self.spec["model"])
            end_ids = ends.eos_token_id if isinstance(ends.eos_token_id, list) else [ends.eos_token_id]
            kept = examples.read(files, examples.Writer(self.tokenizer, end_ids), self.spec["context"])
            torch.save({"tokens": torch.tensor(kept.tokens, dtype=torch.int32), "learned": torch.tensor(kept.learned, dtype=torch.int8), "lengths": kept.lengths, "counts": (kept.examples, kept.too_long)}, path)
        dist.barrier()
        saved = torch.load(path, mmap=True)
        return examples.Sequences(saved["tokens"], saved["learned"], saved["lengths"], *saved["counts"])

    def loss_sum(self, data, rows):
        """Sum of the cross-entropies of a batch's learned tokens, and their number. Tokens see those of their own sequence that came before: without a mask, transformers takes a position that does not follow the one before for a new text, and keeps each layer's window."""
        length = max(sum(data.lengths[sequence] for sequence in row) for row in rows)
        ids, positions = (torch.zeros(len(rows), length, dtype=torch.long) for _ in range(2))
        targets = torch.full((len(rows), length), -100)
        for b, row in enumerate(rows):
            at = 0
            for sequence in row:
                tokens, learned = (torch.as_tensor(part) for part in data.get(sequence))
                end = at + len(tokens)
                ids[b, at:end], positions[b, at:end] = tokens.long(), torch.arange(len(tokens))
                targets[b, at : end - 1] = torch.where(learned[1:] > 0, tokens[1:].long(), -100)
                at = end
        ids, positions, targets = (each.to(self.device) for each in (ids, positions, targets))
        with torch.autocast(self.device.type, dtype=self.half) if self.half else contextlib.nullcontext():
            logits = self.model(input_ids=ids, position_ids=positions, use_cache=False).logits
        return F.cross_entropy(logits.float().flatten(0, 1), targets.flatten(), ignore_index=-100, reduction="sum"), int((targets >= 0).sum())

    def summed(self, *values):
        total = torch.tensor(values, dtype=torch.float64, device=self.device)
        dist.all_reduce(total)
        return total.tolist()

    def update(self, data, batches, rate):
        """One update by all batches together, of which each worker takes every `world`-th."""
        self.model.train()
        learned = sum(int(data.get(sequence)[1][1:].sum()) for batch in batches for row in batch for sequence in row)
        own = [(batch, 1) for batch in batches[self.rank :: self.world]]
        rounds = -(-len(batches) // self.world)
        # Workers without a batch of their own take part in the sum with nothing.
        own += [(batches[0][:1], 0)] * (rounds - len(own))
        loss = 0.0
        for i, (batch, share) in enumerate(own):
            last = i + 1 == len(own)
            if self.sharded:
                self.model.set_requires_gradient_sync(last)
            with contextlib.nullcontext() if last or self.sharded else self.model.no_sync():
                total, _ = self.loss_sum(data, batch)
                # Gradients are averaged over workers; this makes sums of them.
                self.scaler.scale(total * (share * self.world / learned)).backward()
                loss += share * float(total.detach())
        for optimizer in self.optimizers:
            self.scaler.unscale_(optimizer)
            for group in optimizer.param_groups:
                group["lr"] = rate * group["factor"]
        norm = torch.nn.utils.clip_grad_norm_([p for p in self.plain.parameters() if p.requires_grad], self.spec["clip"])
        norm = float(norm.full_tensor() if hasattr(norm, "full_tensor") else norm)
        (loss,) = self.summed(loss / learned)
        if not math.isfinite(loss) or (not math.isfinite(norm) and not self.scaler.is_enabled()):
            raise ValueError(f"step {self.step + 1}: loss {loss}, gradient norm {norm}; lower the learning rate")
        for optimizer in self.optimizers:
            self.scaler.step(optimizer)
            optimizer.zero_grad(set_to_none=True)
        self.scaler.update()
        return loss, norm

    @torch.no_grad()
    def evaluate(self, data):
        self.model.eval()
        source = examples.Batches(data.lengths, self.spec["rows"], self.spec["context"], 1)
        loss = count = 0
        while batches := source.take(self.world):
            # All take part: FSDP gathers parameters together.
            mine = batches[self.rank] if self.rank < len(batches) else batches[0][:1]
            total, learned = self.loss_sum(data, mine)
            if self.rank < len(batches):
                loss, count = loss + float(total), count + learned
        loss, count = self.summed(loss, count)
        return loss / count

    def save(self, path, value):
        if self.rank == 0:
            torch.save(value, f"{path}.part")
            os.replace(f"{path}.part", path)
        dist.barrier()

    def checkpoint(self, position):
        weights, memory = get_state_dict(self.model, self.optimizers, options=TRAINED)
        kept = {name: getattr(self, name) for name in ("spec", "step", "tokens", "stale", "best")}
        self.save(self.folder / "checkpoint.pt", {"weights": weights, "memory": memory, "scaler": self.scaler.state_dict(), "position": position, "world": self.world, **kept})

    def restore(self):
        path = self.folder / "checkpoint.pt"
        if not path.exists():
            return {}
        kept = torch.load(path, map_location="cpu", weights_only=True)
        if kept["spec"] != self.spec:
            raise ValueError(f"{path} is of a run by another specification; remove {self.folder} to begin anew")
        set_state_dict(self.model, self.optimizers, model_state_dict=kept["weights"], optim_state_dict=kept["memory"], options=TRAINED)
        self.scaler.load_state_dict(kept["scaler"])
        self.step, self.tokens, self.stale, self.best = (kept[name] for name in ("step", "tokens", "stale", "best"))
        return kept["position"]

    def finish(self, reason):
        if self.best:
            set_model_state_dict(self.model, torch.load(self.folder / "best.pt", map_location="cpu", weights_only=True), options=TRAINED)
        weights = get_model_state_dict(self.model, options=FULL)
        if self.rank == 0:
            method = self.spec["method"]
            scale = method["alpha"] / method["rank"] if method["kind"] == "lora" else 0
            self.plain.save_pretrained(self.spec["output"], state_dict=adapters.merged(weights, scale))
            self.tokenizer.save_pretrained(self.spec["output"])
        dist.barrier()
        self.emit("end", step=self.step, reason=reason, model=self.spec["output"])

    def train(self):
        spec = self.spec
        data = self.sequences(spec["training_files"], "train")
        held = self.sequences(spec["validation_files"], "validation") if spec["validation_files"] else None
        steps = spec.get("steps")
        source = examples.Batches(data.lengths, spec["rows"], spec["context"], None if steps else spec["epochs"], spec["seed"], **self.restore())
        each = self.world * spec["accumulation"]
        total = steps or -(-source.count() // each)
        rate_at = rate_of(spec["schedule"], total)
        trained = sum(p.numel() for p in self.plain.parameters() if p.requires_grad)
        note = {"note": f"{data.too_long} sequences are longer than the context of {spec['context']} tokens and are left out"} if data.too_long else {}
        self.emit("start", steps=total, parameters=self.parameters, trained=trained, examples=data.examples, resumedAt=self.step, **note)
        reason = "done"
        while self.step < total and (batches := source.take(each)):
            start = time.perf_counter()
            rate = rate_at(self.step)
            loss, norm = self.update(data, batches, rate)
            self.step += 1
            tokens = sum(data.lengths[sequence] for batch in batches for row in batch for sequence in row)
            self.tokens += tokens
            self.emit("step", step=self.step, loss=loss, rate=rate, gradientNorm=norm, tokens=self.tokens, tokensPerSecond=tokens / (time.perf_counter() - start))
            if held and (self.step % spec["evaluate_every"] == 0 or self.step == total):
                found = self.evaluate(held)
                if not math.isfinite(found):
                    raise ValueError(f"step {self.step}: validation loss {found}; lower the learning rate")
                best = self.best is None or found < self.best
                self.best, self.stale = (found, 0) if best else (self.best, self.stale + 1)
                if best:
                    self.save(self.folder / "best.pt", get_model_state_dict(self.model, options=TRAINED))
                self.emit("evaluation", step=self.step, loss=found, best=best)
            if self.step % spec["checkpoint_every"] == 0 or self.step == total:
                self.checkpoint({"epoch": source.epoch, "batch": source.batch})
                self.emit("checkpoint", step=self.step, file=str(self.folder / "checkpoint.pt"))
            if 0 < spec["patience"] <= self.stale:
                reason = "early"
                break
        self.finish(reason)


def work(config):
    Run(config["spec"], config["parallel"]).train()


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--parallel", choices=("ddp", "fsdp"), default="ddp")
    parser.add_argument("--ray", action="store_true", help="start the workers in a cluster of Ray")
    parser.add_argument("--gpu", action="store_true", help="of --ray: a GPU for each worker")
    given = parser.parse_args()
    spec = json.loads(Path(__file__).with_name("spec.json").read_text(encoding="utf-8"))
    if given.ray:
        from ray.train import ScalingConfig
        from ray.train.torch import TorchTrainer

        # By the name of its module: workers import it, as what this one holds of torch cannot be sent.
        from train import work

        TorchTrainer(work, train_loop_config={"spec": spec, "parallel": given.parallel}, scaling_config=ScalingConfig(num_workers=spec["workers"], use_gpu=given.gpu)).fit()
        return
    Run(spec, given.parallel).train()
    dist.destroy_process_group()


if __name__ == "__main__":
    main()
