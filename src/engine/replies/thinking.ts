// Owns what a model thinks before it speaks: where the thought begins and ends in its reply.
// Refuses to know what is said behind it.

import { isSpace } from './json-scanner.ts';
import { MarkFinder } from './marks.ts';

export interface Thinking {
  readonly open: string;
  readonly close: string;
  /** What the model writes behind it in any case. */
  readonly behind?: string;
  /** A beginning of `open` that may come twice. */
  readonly twice?: string;
}
export interface ThoughtOptions {
  /** The prompt has opened the thought already. */
  readonly opened: boolean;
  /** Marks that stand in no thought, and end one that was not closed. */
  readonly ends: readonly string[];
  /** Marks of which it is not known whether they end a thought that was not closed, or the model only thinks of them. */
  readonly doubtful: readonly string[];
}
export interface Heard {
  readonly thought: string;
  readonly said: string;
  /** The doubtful mark that came last. What follows is held by whoever can tell; then it is thought, by `think`, or said, by `leave`. */
  readonly doubt?: string;
}

/** A thought stands at the beginning of a reply; space around it is left out. A mark further on is text like any other. */
export class ThoughtReader {
  readonly #mark: Thinking;
  readonly #open: MarkFinder;
  readonly #close: MarkFinder;
  readonly #certain: MarkFinder;
  readonly #options: ThoughtOptions;
  #at: 'before' | 'inside' | 'behind' | 'said';
  #space = '';

  constructor(mark: Thinking, options: ThoughtOptions) {
    const { open, close } = mark;
    this.#mark = mark;
    this.#options = options;
    // Some models close what they have not opened.
    this.#open = new MarkFinder([open, close]);
    this.#certain = new MarkFinder([close, ...options.ends]);
    this.#close = new MarkFinder([close, ...options.ends, ...options.doubtful]);
    this.#at = options.opened ? 'inside' : 'before';
  }
  get thinks(): boolean {
    return this.#at === 'inside';
  }
  get holds(): boolean {
    return this.#at === 'before' && (this.#space !== '' || this.#open.held !== '');
  }
  /** Marks that end a thought whatever stood before them. */
  get closes(): readonly string[] {
    return [this.#mark.close, ...this.#options.ends];
  }
  /** Text of a thought in which doubtful marks are none. */
  think(text: string): Heard {
    let [thought, said] = ['', ''];
    for (const character of text) {
      const heard = this.#at === 'inside' ? this.#inside(this.#certain, character) : this.push(character);
      thought += heard.thought;
      said += heard.said;
    }
    return { thought, said };
  }
  /** The thought is over, though it was not closed. */
  leave(): void {
    this.#at = 'said';
    this.#space = '';
  }

  push(character: string): Heard {
    switch (this.#at) {
      case 'before': {
        if (this.#open.held === '' && isSpace(character)) {
          this.#space += character;
          return { thought: '', said: '' };
        }
        const { passed, found } = this.#open.push(character);
        if (passed !== '' && passed !== this.#mark.twice) {
          this.#at = 'said';
          return { thought: '', said: this.#end() + passed + this.#open.end() };
        }
        if (found !== undefined) {
          this.#at = found === this.#mark.open ? 'inside' : 'behind';
          this.#space = '';
        }
        return { thought: '', said: '' };
      }
      case 'inside':
        return this.#inside(this.#close, character);
      case 'behind':
        if (isSpace(character)) return { thought: '', said: '' };
        this.#at = 'said';
        return { thought: '', said: character };
      case 'said':
        return { thought: '', said: character };
      default:
        return this.#at satisfies never;
    }
  }
  #begun = false;
  #inside(close: MarkFinder, character: string): Heard {
    const { passed, found } = close.push(character);
    let thought = '';
    for (const each of passed) {
      if (isSpace(each)) {
        if (this.#begun) this.#space += each;
        continue;
      }
      this.#begun = true;
      thought += this.#end() + each;
    }
    if (found === undefined) return { thought, said: '' };
    if (this.#options.doubtful.includes(found)) return { thought, said: '', doubt: found };
    const ended = this.#options.ends.includes(found);
    this.#at = ended ? 'said' : 'behind';
    this.#space = '';
    return { thought, said: ended ? found : '' };
  }
  #end(): string {
    const space = this.#space;
    this.#space = '';
    return space;
  }
  end(): Heard {
    if (this.#at === 'inside') {
      const held = this.#certain.end() + this.#close.end();
      return { thought: held === '' ? '' : this.#end() + held, said: '' };
    }
    const held = this.#open.end();
    return { thought: '', said: this.#at === 'before' ? this.#end() + held : held };
  }
}
