// Owns what a model thinks before it speaks: where the thought begins and ends in its reply.
// Refuses to know what is said behind it.

import { isSpace } from './json-scanner.ts';
import { MarkFinder } from './marks.ts';

export interface Thinking {
  readonly open: string;
  readonly close: string;
}

/** A thought stands at the beginning of a reply; space around it is left out. A mark further on is text like any other. */
export class ThoughtReader {
  readonly #open: MarkFinder;
  readonly #close: MarkFinder;
  readonly #ends: ReadonlySet<string>;
  #at: 'before' | 'inside' | 'behind' | 'said';
  #space = '';

  /** `opened`: the prompt has opened the thought already. `ends`: marks that stand in no thought, and end one that was not closed. */
  constructor({ open, close }: Thinking, opened: boolean, ends: readonly string[] = []) {
    this.#open = new MarkFinder([open]);
    this.#close = new MarkFinder([close, ...ends]);
    this.#ends = new Set(ends);
    this.#at = opened ? 'inside' : 'before';
  }
  get thinks(): boolean {
    return this.#at === 'inside';
  }
  get holds(): boolean {
    return this.#at === 'before' && (this.#space !== '' || this.#open.held !== '');
  }

  push(character: string): { readonly thought: string; readonly said: string } {
    switch (this.#at) {
      case 'before': {
        if (this.#open.held === '' && isSpace(character)) {
          this.#space += character;
          return { thought: '', said: '' };
        }
        const { passed, found } = this.#open.push(character);
        if (passed !== '') {
          this.#at = 'said';
          return { thought: '', said: this.#end() + passed + this.#open.end() };
        }
        if (found !== undefined) {
          this.#at = 'inside';
          this.#space = '';
        }
        return { thought: '', said: '' };
      }
      case 'inside':
        return this.#inside(character);
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
  #inside(character: string): { readonly thought: string; readonly said: string } {
    const { passed, found } = this.#close.push(character);
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
    const ended = this.#ends.has(found);
    this.#at = ended ? 'said' : 'behind';
    this.#space = '';
    return { thought, said: ended ? found : '' };
  }
  #end(): string {
    const space = this.#space;
    this.#space = '';
    return space;
  }
  end(): { readonly thought: string; readonly said: string } {
    if (this.#at === 'inside') {
      const held = this.#close.end();
      return { thought: held === '' ? '' : this.#end() + held, said: '' };
    }
    const held = this.#open.end();
    return { thought: '', said: this.#at === 'before' ? this.#end() + held : held };
  }
}
