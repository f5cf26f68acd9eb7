// Owns what of a written text is told: not what may yet become a stop string, no more than the limits allow, and, where there is a reader, its parts with the tokens of what is said in them.
// Refuses to know logits, and which tokens are chosen.

import { Limiter } from '../constraints/limits/limiter.ts';
import type { FinishReason, GenerateEvent, TextLimits, TokensTold, WrittenToken } from '../port.ts';
import { joined } from '../replies/reader.ts';
import type { ReplyPart, ReplyReader } from '../replies/reader.ts';
import type { Ending } from './ending.ts';
import { StopMatcher } from './stopping.ts';

export interface Progress {
  /** New text that is safe to show; may be empty. */
  readonly text: string;
  /** What was written, where it is to be told. */
  readonly tokens?: readonly WrittenToken[];
  readonly told?: TokensTold;
  /** In place of text and tokens, where there is a reader. */
  readonly parts?: readonly Extract<GenerateEvent, { kind: 'delta' | 'reasoning' | 'tool_call' }>[];
  readonly finish?: FinishReason;
}

export class Outgoing {
  readonly #least: number;
  readonly #stops: StopMatcher;
  readonly #limiter: Limiter | undefined;
  readonly #reader: ReplyReader | undefined;
  /** Tokens in which the model thought. */
  thought = 0;
  /** What the reader found in this step. */
  #found: ReplyPart[] = [];
  /** Tokens of which it is not yet known whether they are content. */
  #untold: WrittenToken[] = [];

  constructor({ ending, limits, reader }: { readonly ending: Ending; readonly limits?: TextLimits; readonly reader?: ReplyReader }) {
    this.#least = ending.least;
    this.#stops = new StopMatcher(ending.stops, ending.stopShown);
    this.#limiter = limits && new Limiter(limits);
    this.#reader = reader;
  }
  /** The stop string that ended the text. */
  get stop(): string | undefined {
    return this.#stops.matched;
  }
  /** The limits allow no more. */
  get full(): boolean {
    return this.#limiter?.full === true;
  }
  /** Did the limits cut it? */
  get cut(): boolean {
    return this.#limiter?.cut === true;
  }
  /** A stop string ended it, or the reader has all. */
  get over(): boolean {
    return this.#stops.stopped || this.#reader?.over === true;
  }

  /** Text that is safe to show, behind so many tokens. A reader's parts are kept beside it; stop strings count in what is said alone. */
  push(text: string, written: number): string {
    const reader = this.#reader;
    if (!reader) return this.#within(this.#heed(text, written));
    const thinks = reader.thinks;
    this.#keep(reader.push(text), written);
    if (thinks || reader.thinks) this.thought++;
    return '';
  }
  /** What was held back, once no more is written. */
  end(written: number): string {
    const reader = this.#reader;
    if (reader) this.#keep(reader.end(), written);
    const text = this.#within(this.#stops.end());
    return (reader ? this.#say(text) : text) + this.rest();
  }
  /** What the limiter held back, once the text is over. */
  rest(): string {
    const text = this.#limiter?.end() ?? '';
    return this.#reader ? this.#say(text) : text;
  }
  /** What the reader found in a step, and the tokens of what is said in it. */
  read({ tokens, finish, ...progress }: Progress): Progress {
    const reader = this.#reader;
    if (!reader) return { ...progress, ...(tokens ? { tokens } : {}), ...(finish ? { finish } : {}) };
    const parts = joined(this.#found.filter((part) => part.kind === 'tool_call' || part.text !== ''));
    this.#found = [];
    const said = parts.findLastIndex(({ kind }) => kind === 'delta');
    this.#untold = said >= 0 || reader.holds ? [...this.#untold, ...(tokens ?? [])] : [];
    const told = said < 0 ? [] : this.#untold.splice(0);
    return {
      text: '',
      parts: parts.map((part, i) => (i === said && part.kind === 'delta' && told.length > 0 ? { ...part, tokens: told } : part)),
      ...(finish ? { finish: finish === 'stop' && reader.called ? 'tool_calls' : finish } : {}),
    };
  }

  /** Text in front of a stop string, where one may end it by now. */
  #heed(text: string, written: number): string {
    return written > this.#least ? this.#stops.push(text) : this.#stops.pass(text);
  }
  /** What of a text is within the limits, as far as that is known. */
  #within(text: string): string {
    return this.#limiter ? this.#limiter.push(text) : text;
  }
  #say(text: string): '' {
    if (text !== '') this.#found.push({ kind: 'delta', text });
    return '';
  }
  #keep(parts: readonly ReplyPart[], written: number): void {
    for (const part of parts) {
      if (this.#stops.stopped) return;
      if (part.kind === 'delta') this.#say(this.#within(this.#heed(part.text, written)));
      else {
        this.#say(this.#within(this.#stops.end()));
        this.rest();
        this.#found.push(part);
      }
    }
  }
}
