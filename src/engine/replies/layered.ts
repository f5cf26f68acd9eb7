// Owns replies that are a thought and then text and calls: most formats.
// Refuses to know how each of them is written.

import type { CallsReader } from './calls.ts';
import type { ReplyPart, ReplyReader } from './reader.ts';
import type { ThoughtReader } from './thinking.ts';

export class LayeredReader implements ReplyReader {
  readonly #thought: ThoughtReader | undefined;
  readonly #calls: CallsReader | undefined;

  constructor(thought: ThoughtReader | undefined, calls: CallsReader | undefined) {
    this.#thought = thought;
    this.#calls = calls;
  }
  get called(): boolean {
    return this.#calls?.called ?? false;
  }
  get over(): boolean {
    return this.#calls?.over ?? false;
  }
  get thinks(): boolean {
    return this.#thought?.thinks ?? false;
  }
  get holds(): boolean {
    return (this.#thought?.holds ?? false) || (this.#calls?.holds ?? false);
  }

  push(text: string): ReplyPart[] {
    return Array.from(text).flatMap((character) => {
      const { thought, said } = this.#thought?.push(character) ?? { thought: '', said: character };
      return this.#parts(thought, said);
    });
  }
  end(): ReplyPart[] {
    const { thought, said } = this.#thought?.end() ?? { thought: '', said: '' };
    return [...this.#parts(thought, said), ...(this.#calls?.end() ?? [])];
  }
  #parts(thought: string, said: string): ReplyPart[] {
    const parts: ReplyPart[] = thought === '' ? [] : [{ kind: 'reasoning', text: thought }];
    if (said === '') return parts;
    return [
      ...parts,
      ...(this.#calls ? Array.from(said).flatMap((character) => this.#calls?.push(character) ?? []) : [{ kind: 'delta', text: said } as const]),
    ];
  }
}
