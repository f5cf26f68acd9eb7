// Owns what a person sees of a run: a line that is written over on a terminal, and lines now and then elsewhere.
// Refuses to know how a run goes on.

import type { TrainingEvent } from '../spec.ts';

export interface Screen {
  readonly write: (text: string) => void;
  /** A terminal, whose line can be written over; columns that it has. */
  readonly columns?: number;
}
const BAR = 24;
/** Where there is no terminal: a line at least this often, in milliseconds. */
const QUIET_MS = 10_000;
const WIPE = '\r\u001b[K';

/** A function that takes a run's events and writes them. `now`: milliseconds of any clock. */
export function progressOn({ write, columns }: Screen, now: () => number = () => performance.now()): (event: TrainingEvent) => void {
  let steps = 1;
  let begun = { step: 0, at: now() };
  let shown = Number.NEGATIVE_INFINITY;
  const line = (text: string): void => write(columns === undefined ? `${text}\n` : `${WIPE}${text}\n`);
  return (event) => {
    switch (event.kind) {
      case 'start':
        steps = event.steps;
        begun = { step: event.resumedAt, at: now() };
        line(
          `${whole(event.trained)} of ${whole(event.parameters)} parameters are trained on ${whole(event.examples)} examples in ${whole(steps)} steps${event.resumedAt > 0 ? `, going on behind step ${whole(event.resumedAt)}` : ''}`,
        );
        if (event.note !== undefined) line(event.note);
        break;
      case 'step': {
        const left = ((now() - begun.at) / (event.step - begun.step)) * (steps - event.step);
        const facts = [
          `step ${whole(event.step)} of ${whole(steps)}`,
          `loss ${event.loss.toFixed(4)}`,
          `rate ${event.rate.toPrecision(3)}`,
          `${whole(event.tokensPerSecond)} tokens/s`,
          `${duration(left)} left`,
        ].join('  ');
        if (columns !== undefined) write(`${WIPE}${`${bar(event.step / steps)} ${facts}`.slice(0, Math.max(1, columns - 1))}`);
        else if (event.step === steps || now() - shown >= QUIET_MS) {
          line(facts);
          shown = now();
        }
        break;
      }
      case 'evaluation':
        line(
          `step ${whole(event.step)}: validation loss ${event.loss.toFixed(4)}${event.accuracy === undefined ? '' : `, ${(100 * event.accuracy).toFixed(1)} % of tokens right`}${event.best ? ', the best so far' : ''}`,
        );
        break;
      case 'checkpoint':
        break;
      case 'end':
        line(
          {
            done: `done: ${event.model}`,
            early: `ended early at step ${whole(event.step)}, as validation found nothing better: ${event.model}`,
            stopped: `stopped behind step ${whole(event.step)}; --resume goes on from there`,
          }[event.reason],
        );
        break;
      default:
        event satisfies never;
    }
  };
}

const whole = (value: number): string => Math.round(value).toLocaleString('en');
function bar(share: number): string {
  const full = Math.round(Math.min(1, share) * BAR);
  return `${'█'.repeat(full)}${'░'.repeat(BAR - full)} ${String(Math.floor(share * 100)).padStart(3)}%`;
}
function duration(milliseconds: number): string {
  const seconds = Math.round(milliseconds / 1000);
  const [hours, minutes] = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60];
  if (hours > 0) return `${hours} h ${minutes} min`;
  return minutes > 0 ? `${minutes} min ${seconds % 60} s` : `${seconds} s`;
}
