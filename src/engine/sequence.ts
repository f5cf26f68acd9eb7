// Owns one generation: which tokens the model has still to see, what was written, why it ended.
// Refuses to know who else runs, and how logits are computed.

import type { Constraint } from './constraint.ts';
import { EngineError } from './port.ts';
import type { Usage } from './port.ts';
import type { Runner, RunnerState } from './runner.ts';
import type { Sampler } from './sampler.ts';
import { StopMatcher } from './stopping.ts';
import type { Detokenizer } from './tokenizer.ts';

export interface SequenceParts {
  readonly runner: Runner;
  /** At least one id. */
  readonly prompt: readonly number[];
  /** New tokens at most; the context's end counts already. */
  readonly limit: number;
  readonly ends: ReadonlySet<number>;
  readonly sampler: Sampler;
  readonly detokenizer: Detokenizer;
  readonly stop: readonly string[];
  readonly constraint?: Constraint;
}
export interface Progress {
  /** New text that is safe to show; may be empty. */
  readonly text: string;
  readonly finish?: 'stop' | 'length';
}

export class Sequence {
  readonly promptTokens: number;
  readonly #parts: SequenceParts;
  readonly #stops: StopMatcher;
  /** Tokens that the model has not seen: the prompt, later what was written last. */
  #unseen: readonly number[];
  #state: RunnerState | undefined;
  #written = 0;

  constructor(parts: SequenceParts) {
    this.#parts = parts;
    this.promptTokens = parts.prompt.length;
    this.#unseen = parts.prompt;
    this.#stops = new StopMatcher(parts.stop);
  }
  get usage(): Usage {
    return { promptTokens: this.promptTokens, completionTokens: this.#written };
  }
  /** Bytes of keys and values held. */
  get bytes(): number {
    return this.#state?.cache.bytes ?? 0;
  }

  /** One forward pass over at most `chunk` unseen tokens; once all are seen, the next token is chosen. */
  async step(chunk: number): Promise<Progress> {
    const { runner } = this.#parts;
    const state = (this.#state ??= runner.start());
    const tokens = this.#unseen.slice(0, chunk);
    const last = tokens.length === this.#unseen.length;
    const logits = await runner.forward(state, tokens, last);
    this.#unseen = this.#unseen.slice(tokens.length);
    return logits ? this.#continue(logits) : { text: '' };
  }

  /** Gives the keys and values back. The sequence cannot go on after it. */
  release(): void {
    this.#state?.cache.free();
    this.#state = undefined;
    this.#unseen = [];
  }

  /** Writes the token that the logits give, and after it those that the constraint leaves no choice about: they need no logits and are shown to the model together. */
  #continue(logits: Float32Array): Progress {
    const { constraint, ends, limit, sampler, detokenizer } = this.#parts;
    const unseen: number[] = [];
    let text = '';
    let allowed = constraint?.allowed();
    if (allowed?.length === 0) return this.#deadEnd(text);
    let token = sampler.choose(logits, allowed);
    for (;;) {
      this.#written++;
      if (ends.has(token)) return { text: text + this.#stops.end(), finish: 'stop' };
      constraint?.accept(token);
      text += this.#stops.push(detokenizer.push(token));
      unseen.push(token);
      if (this.#stops.stopped) return { text, finish: 'stop' };
      allowed = constraint?.allowed();
      if (allowed?.length === 0) return this.#deadEnd(text);
      // Complete, and nothing but the end may follow.
      if (allowed?.every((id) => ends.has(id))) return { text: text + this.#stops.end(), finish: 'stop' };
      if (this.#written >= limit) return { text: text + this.#stops.end(), finish: 'length' };
      if (allowed?.length !== 1) break;
      token = allowed[0];
    }
    this.#unseen = unseen;
    return { text };
  }
  #deadEnd(text: string): Progress {
    if (this.#parts.constraint?.complete()) return { text: text + this.#stops.end(), finish: 'stop' };
    throw new EngineError('constraint_unsatisfiable', 'the constraint leaves no token to write here, because the vocabulary cannot spell what must follow');
  }
}
