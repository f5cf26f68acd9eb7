// Owns one generation: which tokens the model has still to see, what was written, why it ended.
// Refuses to know who else runs, and how logits are computed.

import type { Constraint } from '../constraints/port.ts';
import { EngineError } from '../port.ts';
import type { TextLimits, TokensTold, Usage, WrittenToken } from '../port.ts';
import type { Bans } from '../encoder-decoder/bans.ts';
import { sourceBytes } from '../encoder-decoder/source.ts';
import type { Source, SourceCache } from '../encoder-decoder/source.ts';
import type { PrefixCache } from './prefix-cache.ts';
import type { Fed } from './feeds.ts';
import type { Runner, RunnerState } from './runner.ts';
import type { KvCache } from './kv-cache.ts';
import { Drafts } from './drafts.ts';
import type { Ending } from './ending.ts';
import { Outgoing } from './outgoing.ts';
import type { Progress } from './outgoing.ts';
import { PromptScores } from './prompt-scores.ts';
import type { PromptScoresParts } from './prompt-scores.ts';
import type { ReplyReader } from '../replies/reader.ts';
import type { Likelihood, Sampler } from '../sampling/sampler.ts';
import type { Detokenizer } from '../text/tokenizer.ts';

/** Logits of one pass at most, where each token's likelihood is told: 16 MiB. */
const MOST_SCORES = 4 * 1024 * 1024;

export interface SequenceParts {
  readonly runner: Runner;
  /** Where beginnings of other texts are remembered. */
  readonly prefixes: PrefixCache;
  /** At least one id. */
  readonly prompt: readonly number[];
  /** What an encoder reads for it; `prompt` is then what the decoder sees before it writes. */
  readonly source?: { readonly ids: readonly number[]; readonly texts: SourceCache };
  /** What may not come, where no constraint says what must. */
  readonly bans?: Bans;
  /** New tokens at most; the context's end counts already. */
  readonly limit: number;
  readonly ending: Ending;
  readonly sampler: Sampler;
  readonly detokenizer: Detokenizer;
  readonly constraint?: Constraint;
  /** How long what is said may be, where no constraint sees to it. */
  readonly limits?: TextLimits;
  /** Finds what is thought, said and called; absent: all is said. */
  readonly reader?: ReplyReader;
  /** Needed where the sampler tells how likely tokens were. */
  readonly describe: (token: number, likelihood?: Likelihood) => WrittenToken;
  /** Tokens that write nothing, such as marks, are not told. */
  readonly isSilent: (token: number) => boolean;
  /** The prompt's own text, where it is to be given back. */
  readonly echo?: string;
  /** The ids of all tokens are told. */
  readonly tellsIds: boolean;
  readonly likelihoods: PromptScoresParts['likelihoods'];
}
/** What a pass shows the model; the last tokens may be guessed. */
interface Plan extends Fed {
  readonly guess: readonly number[];
}
export class Sequence {
  readonly promptTokens: number;
  readonly runner: Runner;
  readonly #parts: SequenceParts;
  readonly #outgoing: Outgoing;
  /** Tokens that the model has not seen: the prompt, later what was written last. */
  #unseen: readonly number[];
  #state: RunnerState | undefined;
  #reading = true;
  #begun = false;
  #released = false;
  /** What the pass under way shows the model; the last `guess` of it was guessed. */
  #fed: Plan = { tokens: [], wanted: 0, guess: [] };
  /** Made when guesses are first asked for; what is written until then waits. */
  #guesses: Drafts | undefined;
  readonly #text: number[] = [];
  #written = 0;
  /** Limits left out a token that would have come. */
  #forced = false;
  #echoes = false;
  /** Ids that were written and are still to be told; those of the prompt come first of all. */
  #newIds: number[] = [];
  #promptTold = false;
  /** Tokens of the prompt that were known from another text. */
  #remembered = 0;
  /** Tokens that an encoder has still to read. */
  #unread: number;
  /** While the prompt is read for the likelihood of its tokens. */
  #scores: PromptScores | undefined;

  constructor(parts: SequenceParts) {
    this.#parts = parts;
    this.runner = parts.runner;
    this.promptTokens = parts.source?.ids.length ?? parts.prompt.length;
    this.#unseen = parts.prompt;
    this.#unread = parts.source?.ids.length ?? 0;
    this.#outgoing = new Outgoing(parts);
    this.#scores = PromptScores.of(parts);
  }
  get usage(): Usage {
    return { promptTokens: this.promptTokens, completionTokens: this.#written, ...(this.#remembered > 0 ? { cachedTokens: this.#remembered } : {}), ...(this.#outgoing.thought > 0 ? { reasoningTokens: this.#outgoing.thought } : {}) };
  }
  /** The stop string that ended its text. */
  get stop(): string | undefined {
    return this.#outgoing.stop;
  }
  /** Is it still reading its prompt? Else it writes. */
  get reads(): boolean {
    return this.#reading;
  }
  /** Tokens that the model has still to see. */
  get left(): number {
    return this.#unseen.length + this.#unread;
  }
  /** Was it let go? What comes of a pass that was under way then is thrown away. */
  get released(): boolean {
    return this.#released;
  }

  /** Bytes reserved for what the model remembers of it alone. */
  get bytes(): number {
    return (this.#state?.cache.bytes ?? 0) + (this.#state?.source ? sourceBytes(this.#state.source) : 0);
  }
  /** What an encoder reads for it, once it has begun. */
  get source(): Source | undefined {
    return this.#state?.source;
  }
  /** Has it been begun? */
  get begun(): boolean {
    return this.#begun;
  }
  get prompt(): readonly number[] {
    return this.#parts.prompt;
  }
  /** May it go on from what is remembered of another text? Where the likelihood of each token is told, all are read; and what a decoder saw depends on what its encoder read. */
  get mayShare(): boolean {
    return !this.#scores && !this.#parts.source;
  }
  /** What the model remembers of it, with the beginning that another text had, where there was one: `beside`, a text that is being written, or one that has ended. */
  begin(beside?: { readonly length: number; copy(): RunnerState }): RunnerState {
    return (this.#state ??= this.#start(beside));
  }
  #start(beside?: { readonly length: number; copy(): RunnerState }): RunnerState {
    this.#begun = true;
    const { runner, prefixes, prompt, source } = this.#parts;
    if (source) {
      const text = source.texts.take(source.ids);
      if (text.given) this.#remembered = source.ids.length;
      return runner.start(text);
    }
    const ended = this.mayShare ? prefixes.take(prompt, beside?.length) : undefined;
    const remembered = ended ?? (beside && { length: beside.length, state: beside.copy() });
    if (!remembered) return runner.start();
    this.#remembered = remembered.length;
    this.#unseen = prompt.slice(remembered.length);
    return remembered.state;
  }
  /** What the next pass shows the model: `chunk` of the tokens that it has not seen at most, and behind all of them up to `guesses` that may come next. `wanted`: after how many of the last logits are needed. */
  plan(chunk: number, guesses: number): Plan {
    this.#fed = this.#planned(chunk, guesses);
    // Masks that are wanted behind this pass are looked for while it runs.
    this.#parts.constraint?.foresee?.(this.#fed.guess);
    return this.#fed;
  }
  #planned(chunk: number, guesses: number): Plan {
    const { runner, sampler, limit } = this.#parts;
    const scores = this.#scores !== undefined;
    // Where each token's likelihood is asked for, each has its logits: not too many at once.
    const most = scores ? (runner.canRewind ? Math.max(1, Math.min(chunk, Math.floor(MOST_SCORES / runner.logits))) : 1) : chunk;
    const tokens = this.#unseen.slice(0, most);
    if (tokens.length < this.#unseen.length) return { tokens, wanted: scores ? tokens.length : 0, guess: [] };
    // The last token of all is drawn in any case, and is none that was guessed.
    const room = Math.min(guesses, limit - this.#written - 1);
    const guess = this.#reading || room < 1 || sampler.wantsLikelihood ? [] : this.#drafts().guess(room, runner.overhead);
    return { tokens: guess.length > 0 ? [...tokens, ...guess] : tokens, wanted: scores ? tokens.length : 1 + guess.length, guess };
  }
  /** How many tokens could be guessed behind all that it has to show. */
  guessable(most: number): number {
    const { runner, sampler, limit } = this.#parts;
    const room = Math.min(most, limit - this.#written - 1);
    return this.#reading || room < 1 || sampler.wantsLikelihood ? 0 : this.#drafts().guess(room, runner.overhead).length;
  }
  #drafts(): Drafts {
    this.#guesses ??= new Drafts([...(this.#parts.source?.ids ?? []), ...this.#parts.prompt, ...this.#text]);
    return this.#guesses;
  }
  /** Goes on with the logits that `plan` wanted. `guessed`: how many of the tokens shown were guessed, and `undone` those of them, the last ones, that were wrong: the model must forget them. */
  take(rows: readonly Float32Array[]): { readonly progress: Progress; readonly guessed: number; readonly undone: number } {
    const taken = this.#taken(rows);
    const told = this.#parts.tellsIds ? this.#ids() : undefined;
    return told ? { ...taken, progress: { ...taken.progress, told: { ...taken.progress.told, ids: told } } } : taken;
  }
  #ids(): TokensTold['ids'] {
    const { source, prompt } = this.#parts;
    if (this.#newIds.length === 0 && (this.#promptTold || this.#reading)) return undefined;
    const told = { ...(this.#promptTold ? {} : { prompt: source?.ids ?? prompt }), written: this.#newIds };
    this.#promptTold = true;
    this.#newIds = [];
    return told;
  }
  #taken(rows: readonly Float32Array[]): ReturnType<Sequence['take']> {
    const { tokens, guess } = this.#fed;
    const text = this.#echoed();
    if (this.#scores) return { progress: this.#score(this.#scores, rows, text), guessed: 0, undone: 0 };
    this.#unseen = this.#unseen.slice(tokens.length - guess.length);
    this.#unread = 0;
    if (this.#unseen.length > 0) return { progress: { text }, guessed: 0, undone: 0 };
    this.#reading = false;
    if (this.#parts.limit === 0) return { progress: { text, finish: 'length' }, guessed: 0, undone: 0 };
    const { written, right } = this.#continue(rows, guess);
    this.#guesses?.judge(guess.length, right, this.runner.overhead);
    const progress = this.#outgoing.read(written);
    return { progress: text === '' ? progress : { ...progress, text: text + progress.text }, guessed: guess.length, undone: guess.length - right };
  }
  /** The prompt's text, once. */
  #echoed(): string {
    if (this.#echoes) return '';
    this.#echoes = true;
    return this.#parts.echo ?? '';
  }
  /** Tokens of the prompt were read for their likelihood. */
  #score(scores: PromptScores, rows: readonly Float32Array[], text: string): Progress {
    const shown = this.#fed.tokens.length;
    const echoed = scores.take(rows, shown);
    const tokens = echoed.length > 0 ? { tokens: echoed } : {};
    this.#unseen = this.#unseen.slice(shown);
    if (!scores.done) return { text, ...tokens };
    const { ranked } = scores;
    const told = ranked ? { told: { prompt: ranked } } : {};
    this.#scores = undefined;
    this.#reading = false;
    if (this.#parts.limit === 0) return { text, ...tokens, ...told, finish: 'length' };
    const written = this.#outgoing.read(this.#continue(rows.slice(-1), []).written);
    const all = [...echoed, ...(written.tokens ?? [])];
    return { ...written, text: text + written.text, ...(all.length > 0 ? { tokens: all } : {}), ...told };
  }

  /** Leaves the keys and values to texts that begin the same: its own, or what was remembered of it beside others. The sequence cannot go on after it. */
  release(beside?: KvCache): void {
    const state = beside ? { cache: beside, replaced: [] } : this.#state;
    if (state && !this.#released) this.#parts.prefixes.keep(state);
    if (this.#state?.source) this.#parts.source?.texts.giveBack(this.#state.source);
    this.#state = undefined;
    this.#unseen = [];
    this.#released = true;
  }

  /**
   * Writes the token that the first logits give, and after it those that the constraint leaves no choice about: they need no logits and are shown to the model together. As long as what is
   * written is what was guessed, the model has seen it, and the logits behind it are used. `right`: tokens of the guess that were written.
   */
  #continue(rows: readonly Float32Array[], guess: readonly number[]): { readonly written: Progress; readonly right: number } {
    const { constraint, ending, limit, sampler, detokenizer, tellsIds } = this.#parts;
    const { own, ends, shown } = ending;
    const outgoing = this.#outgoing;
    const unseen: number[] = [];
    let [text, right] = ['', 0];
    let tokens: WrittenToken[] | undefined;
    const end = (written: Progress): { readonly written: Progress; readonly right: number } => ({ written: written.finish === 'stop' && this.#shortened ? { ...written, finish: 'length' } : written, right });
    if (constraint?.allowed().size === 0) return end(this.#deadEnd(text));
    while (unseen.length === 0) {
      let token = this.#choose(rows[right]);
      const told = this.#told(token);
      if (told) tokens = [...(tokens ?? []), ...told];
      for (;;) {
        this.#written++;
        if (tellsIds) this.#newIds.push(token);
        if (ends.has(token)) {
          if (shown.has(token)) text += outgoing.push(detokenizer.push(token), this.#written);
          return end({ text: text + outgoing.end(this.#written), tokens, finish: 'stop' });
        }
        constraint?.accept(token);
        sampler.accept(token);
        this.#parts.bans?.accept(token);
        this.#note(token);
        text += outgoing.push(detokenizer.push(token), this.#written);
        if (unseen.length === 0 && right < guess.length && guess[right] === token) right++;
        else unseen.push(token);
        if (outgoing.full) return end({ text, tokens, finish: 'length' });
        if (outgoing.over) return end({ text: text + outgoing.rest(), tokens, finish: 'stop' });
        // Undefined: several tokens may come, and logits choose among them.
        const allowed = constraint?.next ? constraint.next() : constraint?.allowed();
        if (allowed?.size === 0) return end(this.#deadEnd(text));
        // Complete, and nothing but the end may follow.
        if (allowed?.within(own)) {
          this.#forced ||= constraint?.unlimited?.() !== undefined;
          return end({ text: text + outgoing.end(this.#written), tokens, finish: 'stop' });
        }
        if (this.#written >= limit) return end({ text: text + outgoing.end(this.#written), tokens, finish: 'length' });
        if (allowed?.size !== 1 || sampler.wantsLikelihood || constraint?.unlimited?.()) break;
        token = allowed.first;
      }
    }
    this.#unseen = unseen;
    return end({ text, tokens });
  }
  /** A token out of those allowed. Where limits leave out the one that would have come, they have shortened the text. */
  #choose(logits: Float32Array): number {
    const { bans, constraint, ending, sampler } = this.#parts;
    const allowed = constraint?.allowed();
    if (!allowed) bans?.apply(logits);
    const free = allowed && constraint?.unlimited?.();
    if (free) {
      const wanted = sampler.choose(Float32Array.from(logits), free);
      if (allowed.has(wanted)) return wanted;
      this.#forced = true;
    }
    return sampler.choose(logits, allowed, this.#written < ending.least ? ending.ends : undefined);
  }
  /** Do limits make it end otherwise than it would have? */
  get #shortened(): boolean {
    return (this.#forced || this.#outgoing.cut) && this.#parts.reader?.called !== true;
  }
  #note(token: number): void {
    if (this.#guesses) this.#guesses.push(token);
    else this.#text.push(token);
  }
  #told(token: number): readonly WrittenToken[] | undefined {
    const { sampler, describe, ending, isSilent } = this.#parts;
    return sampler.likelihood === undefined || (ending.ends.has(token) && !ending.shown.has(token)) || isSilent(token) ? undefined : [describe(token, sampler.likelihood)];
  }
  #deadEnd(text: string): Progress {
    if (this.#parts.constraint?.complete()) return { text: text + this.#outgoing.end(this.#written), finish: 'stop' };
    throw new EngineError('constraint_unsatisfiable', 'the constraint leaves no token to write here, because the vocabulary cannot spell what must follow');
  }
}
