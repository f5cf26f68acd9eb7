// Owns replies that are a thought and then text and calls: most formats. A call in a thought that is never closed ends it; in one that is closed later it was only thought of.
// Refuses to know how each of them is written.

import type { CallsReader } from './calls.ts';
import { MarkFinder } from './marks.ts';
import type { ReplyPart, ReplyReader } from './reader.ts';
import type { Heard, ThoughtReader } from './thinking.ts';

export interface CallLayer {
  readonly calls: CallsReader;
  /** Another reader, for text of which it is not known whether it is read. */
  readonly trial: () => CallsReader;
}
/** What came since a mark of calls stood in a thought. */
interface Doubt {
  readonly mark: string;
  held: string;
  readonly trial: CallsReader;
  /** Finds the end of the thought. */
  readonly close: MarkFinder;
}
/** Characters that are held back at most until the thought is closed. */
const MOST_HELD = 262_144;

export class LayeredReader implements ReplyReader {
  readonly #thought: ThoughtReader | undefined;
  readonly #layer: CallLayer | undefined;
  #doubt: Doubt | undefined;

  constructor(thought: ThoughtReader | undefined, layer?: CallLayer) {
    this.#thought = thought;
    this.#layer = layer;
  }
  get called(): boolean {
    return this.#layer?.calls.called ?? false;
  }
  get over(): boolean {
    return this.#layer?.calls.over ?? false;
  }
  get thinks(): boolean {
    return this.#thought?.thinks ?? false;
  }
  get holds(): boolean {
    return this.#doubt !== undefined || (this.#thought?.holds ?? false) || (this.#layer?.calls.holds ?? false);
  }

  push(text: string): ReplyPart[] {
    return Array.from(text).flatMap((character) => this.#take(character));
  }
  end(): ReplyPart[] {
    const left = this.#doubt ? this.#left(this.#doubt) : [];
    const { thought, said } = this.#thought?.end() ?? { thought: '', said: '' };
    return [...left, ...this.#parts({ thought, said }), ...(this.#layer?.calls.end() ?? [])];
  }
  #take(character: string): ReplyPart[] {
    if (this.#doubt) return this.#doubted(this.#doubt, character);
    const heard = this.#thought?.push(character) ?? { thought: '', said: character };
    if (heard.doubt !== undefined && this.#layer && this.#thought) {
      const { doubt: mark } = heard;
      const trial = this.#layer.trial();
      for (const each of mark) trial.push(each);
      this.#doubt = { mark, held: mark, trial, close: new MarkFinder(this.#thought.closes) };
    }
    return this.#parts(heard);
  }
  #doubted(doubt: Doubt, character: string): ReplyPart[] {
    doubt.held += character;
    doubt.trial.push(character);
    const { found } = doubt.close.push(character);
    if (found !== undefined && found === this.#thought?.closes[0]) return this.#thoughtOf(doubt);
    if (found !== undefined || doubt.held.length > MOST_HELD) return this.#left(doubt);
    if (doubt.trial.called || doubt.trial.holds) return [];
    // No call: the mark was text, and what stands behind it may begin one.
    this.#doubt = undefined;
    const { mark, held } = doubt;
    return [...this.#parts(this.#thought?.think(mark)), ...Array.from(held.slice(mark.length)).flatMap((each) => this.#take(each))];
  }
  /** The thought was closed: all that was held was thought. */
  #thoughtOf({ held }: Doubt): ReplyPart[] {
    this.#doubt = undefined;
    return this.#parts(this.#thought?.think(held));
  }
  /** It was not: it ended before the mark. */
  #left({ held }: Doubt): ReplyPart[] {
    this.#doubt = undefined;
    this.#thought?.leave();
    return this.#parts({ thought: '', said: held });
  }
  #parts({ thought, said }: Heard = { thought: '', said: '' }): ReplyPart[] {
    const parts: ReplyPart[] = thought === '' ? [] : [{ kind: 'reasoning', text: thought }];
    if (said === '') return parts;
    const { calls } = this.#layer ?? {};
    return [...parts, ...(calls ? Array.from(said).flatMap((character) => calls.push(character)) : [{ kind: 'delta', text: said } as const])];
  }
}
