// Owns texts out of lists: names whole and only inside their marks among words from a list, or one of some choices.
// Refuses to know where names and words come from, and how likely a token is.

import { EngineError } from '../port.ts';
import type { Constraint, ConstraintVocabulary } from './port.ts';
import { TokenSet } from './tokens/token-set.ts';
import { MOST_BYTES, WordAutomaton } from './word-automaton.ts';
import type { Begins } from './word-automaton.ts';

interface Node {
  readonly next: Map<number, Node>;
  end: boolean;
  /** Made when first asked for. */
  allowed?: TokenSet;
}
/** Texts as the model's tokenizer cuts them, sharing beginnings. */
function tokenTree(texts: readonly string[], encode: (text: string) => readonly number[], what: string): Node {
  const root: Node = { next: new Map(), end: false };
  let size = 0;
  for (const text of texts) {
    size += text.length;
    if (size > MOST_BYTES) throw new EngineError('constraint_unsatisfiable', `the constraint's ${what} have more than ${MOST_BYTES} characters together; give fewer`);
    let node = root;
    for (const token of encode(text)) {
      let next = node.next.get(token);
      if (!next) node.next.set(token, (next = { next: new Map(), end: false }));
      node = next;
    }
    node.end = true;
  }
  return root;
}
const notAllowed = (token: number): EngineError => new EngineError('failed', `token ${token} is not allowed by the constraint here`);

export class ChoiceConstraint implements Constraint {
  #node: Node;
  readonly #ends: readonly number[];
  constructor(choices: readonly string[], vocabulary: ConstraintVocabulary) {
    if (choices.length === 0) throw new EngineError('constraint_unsatisfiable', 'a choice constraint needs at least one choice, got none');
    this.#node = tokenTree(choices, (text) => vocabulary.encode(text), 'choices');
    this.#ends = vocabulary.ends;
  }
  allowed(): TokenSet {
    return (this.#node.allowed ??= TokenSet.ofIds([...this.#node.next.keys(), ...(this.#node.end ? this.#ends : [])]));
  }
  complete(): boolean {
    return this.#node.end;
  }
  accept(token: number): void {
    const next = this.#node.next.get(token);
    if (!next) throw notAllowed(token);
    this.#node = next;
  }
}

export class NamesConstraint implements Constraint {
  readonly #vocabulary: ConstraintVocabulary;
  readonly #words: WordAutomaton;
  readonly #names: Node;
  /** The trees of single names, in the order in which they must come; undefined when any name may come anywhere. */
  readonly #order: readonly Node[] | undefined;
  /** Bytes that may stand before the first name, between two, and behind the last, before words must end. */
  readonly #stretches: readonly number[];
  /** Names written, and bytes since the last of them. */
  #written = 0;
  #since = 0;
  /** Allowed ids by state of the words, which may begin, and whether a name may begin and the text may end. At most twelve times as many as there are states. */
  readonly #known = new Map<string, TokenSet>();
  #state: number;
  /** Where in a name, or undefined outside of one. */
  #name: Node | undefined;

  constructor(names: readonly string[], words: readonly string[], vocabulary: ConstraintVocabulary, { order, stretches = [] }: { readonly order?: readonly string[]; readonly stretches?: readonly number[] } = {}) {
    const written = names.filter((name) => name !== '');
    const marked = vocabulary.nameMarks !== undefined;
    this.#vocabulary = vocabulary;
    this.#names = tokenTree(marked ? written : [], (text) => vocabulary.encode(text), 'names');
    const encode = (text: string): number[] => vocabulary.encode(text);
    this.#order = marked ? order?.filter((name) => name !== '').map((name) => tokenTree([name], encode, 'names')) : undefined;
    this.#words = new WordAutomaton(marked ? words : [...words, ...written]);
    this.#state = this.#words.start;
    this.#stretches = marked ? stretches : [];
    if (this.allowed().size === 0) throw new EngineError('constraint_unsatisfiable', 'a names constraint needs at least one name or word that the model can write, got none');
  }

  allowed(): TokenSet {
    const { nameMarks, ends, trie } = this.#vocabulary;
    if (this.#name) return (this.#name.allowed ??= TokenSet.ofIds([...this.#name.next.keys(), ...(this.#name.end && nameMarks ? [nameMarks.close] : [])]));
    const opens = nameMarks !== undefined && this.#next() !== undefined && this.#words.mayBegin(this.#state);
    const begins = this.#begins();
    const key = `${this.#state} ${begins} ${opens} ${this.complete()}`;
    let ids = this.#known.get(key);
    if (!ids) {
      const words: number[] = [];
      trie().accepted(this.#state, (state, byte) => this.#words.step(state, byte, begins), (token) => words.push(token));
      ids = TokenSet.ofIds([...words, ...(opens ? [nameMarks.open] : []), ...(this.complete() ? ends : [])]);
      this.#known.set(key, ids);
    }
    return ids;
  }
  complete(): boolean {
    return !this.#name && this.#words.mayEnd(this.#state) && (this.#order === undefined || this.#written === this.#order.length);
  }
  /** Which words may begin: none where as many bytes as may stand here are written, so that a text cannot go round without names. */
  #begins(): Begins {
    const most = this.#stretches[Math.min(this.#written, this.#stretches.length - 1)] ?? Infinity;
    if (this.#since < most) return 'any';
    return this.#next() === undefined ? 'last' : 'others';
  }
  /** What the next name may be. */
  #next(): Node | undefined {
    if (this.#order) return this.#order[this.#written];
    return this.#names.next.size > 0 ? this.#names : undefined;
  }
  accept(token: number): void {
    const { nameMarks } = this.#vocabulary;
    if (this.#name) {
      if (token === nameMarks?.close && this.#name.end) {
        this.#name = undefined;
        this.#written++;
        this.#since = 0;
        this.#state = this.#words.afterWord;
        return;
      }
      const next = this.#name.next.get(token);
      if (!next) throw notAllowed(token);
      this.#name = next;
      return;
    }
    if (token === nameMarks?.open && this.#words.mayBegin(this.#state)) {
      this.#name = this.#next();
      if (!this.#name) throw notAllowed(token);
      return;
    }
    const bytes = this.#vocabulary.bytesOf(token);
    if (!bytes) throw notAllowed(token);
    const begins = this.#begins();
    let state = this.#state;
    for (const byte of bytes) {
      state = this.#words.step(state, byte, begins);
      if (state < 0) throw notAllowed(token);
    }
    this.#state = state;
    this.#since += bytes.length;
  }
}
