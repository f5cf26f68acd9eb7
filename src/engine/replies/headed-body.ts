// Owns calls that are written as the function's name, a mark and a JSON object that is the call's end: those of Mistral and Functionary v3.2.
// Refuses to know what stood before the name.

import { done, failed, MOST_NAME, OPEN } from './call-bodies.ts';
import type { BodyState, CallBody } from './call-bodies.ts';
import type { CallSink } from './call-object.ts';
import { isSpace, JsonScanner } from './json-scanner.ts';
import { isSign, MarkFinder } from './marks.ts';

export interface HeadedForm {
  /** Between head and arguments. */
  readonly separator: string;
  /** Between name and id. */
  readonly id?: string;
  /** Who is spoken to where nothing is called: the mark and this head say nothing. */
  readonly everyone?: string;
}

export class HeadedBody implements CallBody {
  readonly #sink: CallSink;
  readonly #form: HeadedForm;
  readonly #finder: MarkFinder;
  readonly #scanner = new JsonScanner();
  #at: 'name' | 'id' | 'arguments' = 'name';
  #head = { name: '', id: '' };
  #begun = false;
  /** Arguments that are no JSON any more: all that comes is theirs. */
  #verbatim = false;

  constructor(sink: CallSink, form: HeadedForm) {
    this.#sink = sink;
    this.#form = form;
    this.#finder = new MarkFinder(form.id === undefined ? [form.separator] : [form.separator, form.id]);
  }
  push(character: string): BodyState {
    if (this.#at === 'name' || this.#at === 'id') return this.#headed(this.#at, character);
    // Marks that are special tokens stand in no arguments.
    if (this.#begun && isSign(character)) return done(character);
    if (this.#verbatim) {
      this.#sink.write(character);
      return OPEN;
    }
    if (!this.#begun) {
      if (isSpace(character)) return OPEN;
      if (character !== '{') return failed(character);
      const { name, id } = this.#head;
      this.#begun = true;
      this.#sink.begin(name, id === '' ? undefined : id);
    }
    const scanned = this.#scanner.push(character);
    this.#verbatim = scanned === 'failed';
    this.#sink.write(character);
    return scanned === 'done' ? done('') : OPEN;
  }
  #headed(at: 'name' | 'id', character: string): BodyState {
    const { passed, found } = this.#finder.push(character);
    this.#head[at] += passed;
    const stray = [...passed].findLastIndex((each) => isSign(each));
    if (stray >= 0 || this.#head[at].length > MOST_NAME) return failed([...passed].slice(Math.max(0, stray)).join('') + (found ?? this.#finder.end()));
    if (found === undefined) return OPEN;
    const head = this.#head[at].trim();
    this.#head[at] = head;
    if (at === 'name' && head === this.#form.everyone) return done('');
    if (at === 'name' && !this.#sink.knows(head)) return failed(found);
    this.#at = found === this.#form.separator ? 'arguments' : 'id';
    return OPEN;
  }
  end(): boolean {
    return this.#begun;
  }
}
