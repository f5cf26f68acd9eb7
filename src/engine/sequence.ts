// Owns one generation: which tokens the model has still to see, what was written, why it ended.
// Refuses to know who else runs, and how logits are computed.

import type { Constraint } from './constraints/constraint.ts';
import { EngineError } from './port.ts';
import type { Usage, WrittenToken } from './port.ts';
import type { PrefixCache } from './prefix-cache.ts';
import type { Runner, RunnerState } from './runner.ts';
import type { Likelihood, Sampler } from './sampling/sampler.ts';
import { StopMatcher } from './stopping.ts';
import type { Detokenizer } from './tokenizer.ts';

export interface SequenceParts {
  readonly runner: Runner;
  /** Where beginnings of other texts are remembered. */
  readonly prefixes: PrefixCache;
  /** At least one id. */
  readonly prompt: readonly number[];
  /** New tokens at most; the context's end counts already. */
  readonly limit: number;
  readonly ends: ReadonlySet<number>;
  readonly sampler: Sampler;
  readonly detokenizer: Detokenizer;
  readonly stop: readonly string[];
  readonly constraint?: Constraint;
  /** Needed where the sampler tells how likely tokens were. */
  readonly describe: (token: number, likelihood?: Likelihood) => WrittenToken;
  /** Tokens that write nothing, such as marks, are not told. */
  readonly isSilent: (token: number) => boolean;
  /** The prompt's own text, where it is to be given back. */
  readonly echo?: string;
}
export interface Progress {
  /** New text that is safe to show; may be empty. */
  readonly text: string;
  /** What was written, where it is to be told. */
  readonly tokens?: readonly WrittenToken[];
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
  #echoes = false;
  /** Tokens of the prompt that were known from another text. */
  #remembered = 0;
  /** Next token of the prompt to be read for its likelihood; undefined: none is. */
  #scored: number | undefined;

  constructor(parts: SequenceParts) {
    this.#parts = parts;
    this.promptTokens = parts.prompt.length;
    this.#unseen = parts.prompt;
    this.#stops = new StopMatcher(parts.stop);
    if (parts.echo !== undefined && parts.sampler.wantsLikelihood) this.#scored = 0;
  }
  get usage(): Usage {
    return { promptTokens: this.promptTokens, completionTokens: this.#written, ...(this.#remembered > 0 ? { cachedTokens: this.#remembered } : {}) };
  }
  /** Bytes of keys and values held. */
  get bytes(): number {
    return this.#state?.cache.bytes ?? 0;
  }

  /** One forward pass over at most `chunk` unseen tokens; once all are seen, the next token is chosen. */
  async step(chunk: number): Promise<Progress> {
    const { runner } = this.#parts;
    const state = (this.#state ??= this.#begin());
    if (this.#scored !== undefined) return this.#score(runner, state);
    const text = this.#echoed();
    const tokens = this.#unseen.slice(0, chunk);
    const last = tokens.length === this.#unseen.length;
    const logits = await runner.forward(state, tokens, last);
    this.#unseen = this.#unseen.slice(tokens.length);
    if (!logits) return { text };
    if (this.#parts.limit === 0) return { text, finish: 'length' };
    const progress = this.#continue(logits);
    return text === '' ? progress : { ...progress, text: text + progress.text };
  }
  #begin(): RunnerState {
    const { runner, prefixes, prompt } = this.#parts;
    const remembered = this.#scored === undefined ? prefixes.take(prompt) : undefined;
    if (!remembered) return runner.start();
    this.#remembered = remembered.length;
    this.#unseen = prompt.slice(remembered.length);
    return remembered.state;
  }
  /** The prompt's text, once. */
  #echoed(): string {
    if (this.#echoes) return '';
    this.#echoes = true;
    return this.#parts.echo ?? '';
  }
  /** One token of the prompt; the likelihood of the next. */
  async #score(runner: Runner, state: RunnerState): Promise<Progress> {
    const { describe, sampler, limit, prompt } = this.#parts;
    const at = this.#scored ?? 0;
    const text = this.#echoed();
    const tokens = at === 0 ? [describe(prompt[0])] : [];
    const logits = (await runner.forward(state, [prompt[at]], true)) as Float32Array;
    this.#unseen = this.#unseen.slice(1);
    if (at + 1 < prompt.length) {
      tokens.push(describe(prompt[at + 1], sampler.score(logits, prompt[at + 1])));
      this.#scored = at + 1;
      return { text, tokens };
    }
    this.#scored = undefined;
    if (limit === 0) return { text, tokens, finish: 'length' };
    const progress = this.#continue(logits);
    return { ...progress, text: text + progress.text, tokens: [...tokens, ...(progress.tokens ?? [])] };
  }

  /** Leaves the keys and values to texts that begin the same. The sequence cannot go on after it. */
  release(): void {
    if (this.#state) this.#parts.prefixes.keep(this.#state);
    this.#state = undefined;
    this.#unseen = [];
  }

  /** Writes the token that the logits give, and after it those that the constraint leaves no choice about: they need no logits and are shown to the model together. */
  #continue(logits: Float32Array): Progress {
    const { constraint, ends, limit, sampler, detokenizer } = this.#parts;
    const unseen: number[] = [];
    let text = '';
    let allowed = constraint?.allowed();
    if (allowed?.size === 0) return this.#deadEnd(text);
    let token = sampler.choose(logits, allowed);
    const tokens = this.#told(token);
    for (;;) {
      this.#written++;
      if (ends.has(token)) return { text: text + this.#stops.end(), tokens, finish: 'stop' };
      constraint?.accept(token);
      sampler.accept(token);
      text += this.#stops.push(detokenizer.push(token));
      unseen.push(token);
      if (this.#stops.stopped) return { text, tokens, finish: 'stop' };
      allowed = constraint?.allowed();
      if (allowed?.size === 0) return this.#deadEnd(text);
      // Complete, and nothing but the end may follow.
      if (allowed?.within(ends)) return { text: text + this.#stops.end(), tokens, finish: 'stop' };
      if (this.#written >= limit) return { text: text + this.#stops.end(), tokens, finish: 'length' };
      if (allowed?.size !== 1 || sampler.wantsLikelihood) break;
      token = allowed.first;
    }
    this.#unseen = unseen;
    return { text, tokens };
  }
  #told(token: number): readonly WrittenToken[] | undefined {
    const { sampler, describe, ends, isSilent } = this.#parts;
    return sampler.likelihood === undefined || ends.has(token) || isSilent(token) ? undefined : [describe(token, sampler.likelihood)];
  }
  #deadEnd(text: string): Progress {
    if (this.#parts.constraint?.complete()) return { text: text + this.#stops.end(), finish: 'stop' };
    throw new EngineError('constraint_unsatisfiable', 'the constraint leaves no token to write here, because the vocabulary cannot spell what must follow');
  }
}
