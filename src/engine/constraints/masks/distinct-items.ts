// Owns that no two items are equal in the arrays of which a grammar says so, and no two names in objects: what was written of them, and which tokens would repeat an item, or leave nothing else to be written.
// Refuses to know what items are: that equal ones are written alike, or that more can be added to them, is the grammar's part.

import type { Machine } from '../grammar/machine.ts';
import { canonical } from '../json/reading/source.ts';
import { TokenSet } from '../tokens/token-set.ts';
import type { TokenTrie } from '../tokens/token-trie.ts';
import type { CompiledGrammar } from './masks.ts';
import { SeenTexts } from './seen-texts.ts';

const [OPEN, CLOSE, OPEN_OBJECT, CLOSE_OBJECT, COMMA, COLON, QUOTE, ESCAPE, SPACE] = Array.from('[]{},:"\\ ', (sign) => sign.charCodeAt(0));
/** Where an item is written; `depth` 0: not inside brackets of its own. */
interface Place {
  readonly depth: number;
  readonly inText: boolean;
  readonly escaped: boolean;
  /** Something of the item is there. */
  readonly begun: boolean;
}
const BEFORE: Place = { depth: 0, inText: false, escaped: false, begun: false };
/** What is written there: an item, a name, or the value behind one, which may be what it likes. */
type Part = 'item' | 'name' | 'value';
const ENDS: Readonly<Record<Part, readonly number[]>> = { item: [COMMA, CLOSE], name: [COLON, CLOSE_OBJECT], value: [COMMA, CLOSE_OBJECT] };
const endsPart = (part: Part, { depth, inText }: Place, byte: number): boolean => depth === 0 && !inText && ENDS[part].includes(byte);
function after(place: Place, byte: number): Place {
  const { depth, inText, escaped, begun } = place;
  if (inText) return { depth, inText: escaped || byte !== QUOTE, escaped: !escaped && byte === ESCAPE, begun };
  if (!begun && byte === SPACE) return place;
  const deeper = byte === OPEN || byte === OPEN_OBJECT ? 1 : byte === CLOSE || byte === CLOSE_OBJECT ? -1 : 0;
  return { depth: depth + deeper, inText: byte === QUOTE, escaped: false, begun: true };
}

/** What is written, its last byte first. */
interface Written {
  readonly byte: number;
  readonly before: Written | undefined;
}
function bytesOf(text: Written | undefined): readonly number[] {
  const bytes: number[] = [];
  for (let at = text; at; at = at.before) bytes.push(at.byte);
  return bytes.toReversed();
}
/** What tells items apart. */
function valueOf(bytes: readonly number[]): string {
  const text = Buffer.from(bytes).toString('utf8');
  try {
    return canonical(JSON.parse(text));
  } catch {
    // Where the grammar takes more than JSON there, too.
    return text;
  }
}
/** Tokens that may end an item, by where they stand. */
interface EndingTokens {
  readonly inText: readonly number[];
  readonly anywhere: readonly number[];
  /** That may end a text, and go on to another item or array. */
  readonly further: readonly number[];
  /** That may end a value, and the name behind it. */
  readonly named: readonly number[];
  /** In front of an array or an object. */
  readonly opening: readonly number[];
}
const known = new WeakMap<TokenTrie, EndingTokens>();
function endingTokens({ trie, size, bytesOf: of }: CompiledGrammar): EndingTokens {
  let found = known.get(trie);
  if (!found) {
    const ends = [QUOTE, COMMA, CLOSE, CLOSE_OBJECT];
    const tokens = Array.from({ length: size }, (_, token) => ({ token, bytes: of(token) ?? new Uint8Array() }));
    const those = (are: (bytes: Uint8Array) => boolean): readonly number[] => tokens.filter(({ bytes }) => are(bytes)).map(({ token }) => token);
    found = {
      inText: those((bytes) => bytes.includes(QUOTE)),
      anywhere: those((bytes) => bytes.some((byte) => ends.includes(byte))),
      further: those((bytes) => bytes.includes(QUOTE) && bytes.subarray(bytes.indexOf(QUOTE)).some((byte) => byte === COMMA || byte === OPEN)),
      named: those((bytes) => bytes.includes(COMMA) && bytes.includes(QUOTE)),
      opening: those((bytes) => [OPEN, OPEN_OBJECT].some((open) => bytes.includes(open) && bytes.subarray(bytes.indexOf(open)).some((byte) => ends.includes(byte)))),
    };
    known.set(trie, found);
  }
  return found;
}

/** An array, or an object, that is being written. */
interface Open {
  readonly part: Part;
  readonly seen: SeenTexts;
  readonly values: Set<string>;
  readonly place: Place;
  /** Of the item. */
  readonly text: Written | undefined;
  /** Where the item stands among the texts that were seen; -1 where it is none of their beginnings. */
  readonly node: number;
}

/** Of one text. */
export class DistinctItems {
  readonly #grammar: CompiledGrammar;
  #open: Open | undefined;

  constructor(grammar: CompiledGrammar) {
    this.#grammar = grammar;
  }
  /** These bytes were written where the machine is in this state. */
  accept(machine: Machine, state: number, bytes: Iterable<number>): void {
    this.#open = this.#read(machine, state, bytes, () => {})?.open;
  }
  /** Those of the tokens that the grammar takes in a state behind which every item is another one, and can be. */
  allowed(machine: Machine, state: number, taken: TokenSet): TokenSet {
    const isOut = (token: number): boolean => {
      const bytes = this.#grammar.bytesOf(token);
      return bytes !== undefined && !this.#mayCome(machine, state, bytes);
    };
    if (taken.ids) return taken.ids.some(isOut) ? TokenSet.ofIds(taken.ids.filter((token) => !isOut(token))) : taken;
    const out = new Set<number>();
    for (const token of this.#doubtful()) if (taken.has(token) && isOut(token)) out.add(token);
    if (out.size === 0) return taken;
    const bits = (taken.bits as Uint32Array).slice();
    for (const token of out) bits[token >>> 5] &= ~(1 << (token & 31));
    return TokenSet.ofBits(bits);
  }

  /** All others stay inside an item that is no beginning of one that was there. */
  #doubtful(): readonly number[] {
    const { inText, anywhere, further, opening } = endingTokens(this.#grammar);
    if (!this.#open) return opening;
    const { part, seen, node, place } = this.#open;
    if (part === 'value') return endingTokens(this.#grammar).named;
    // A text that is no beginning of one that was there is another one, wherever it ends.
    const ending = !place.inText ? anywhere : node < 0 && place.depth === 0 ? further : inText;
    if (node < 0) return ending;
    const found: number[] = [];
    this.#grammar.trie.accepted(node, (at, byte) => (at === node && !place.begun && byte === SPACE ? node : seen.after(at, byte)), (token) => void found.push(token));
    return [...ending, ...found];
  }
  #mayCome(machine: Machine, state: number, bytes: Uint8Array): boolean {
    const undo: (() => void)[] = [];
    const read = this.#read(machine, state, bytes, (back) => void undo.push(back));
    const may = read !== undefined && this.#goesOn(machine, read.state, read.open);
    for (const back of undo.toReversed()) back();
    return may;
  }
  /** Where they lead to; undefined where they repeat an item. `noted`: what takes back that an item was seen. */
  #read(machine: Machine, from: number, bytes: Iterable<number>, noted: (back: () => void) => void): { readonly state: number; readonly open: Open | undefined } | undefined {
    let [state, open] = [from, this.#open];
    for (const byte of bytes) {
      if (state < 0) return undefined;
      if (!open) {
        if ((byte === OPEN || byte === OPEN_OBJECT) && this.#opens(machine, state, byte)) open = { part: byte === OPEN ? 'item' : 'name', seen: new SeenTexts(), values: new Set(), place: BEFORE, text: undefined, node: 0 };
      } else if (open.part === 'value') {
        open = !endsPart('value', open.place, byte) ? { ...open, place: after(open.place, byte) } : byte === COMMA ? { ...open, part: 'name', place: BEFORE, text: undefined, node: 0 } : undefined;
      } else if (!endsPart(open.part, open.place, byte)) {
        const { place, text, node, seen } = open;
        const next = after(place, byte);
        if (next.begun) open = { ...open, place: next, text: { byte, before: text }, node: node < 0 ? -1 : seen.after(node, byte) };
        // Behind its last bracket nothing can make it another one.
        if (next.depth === 0 && place.depth > 0 && open.values.has(valueOf(bytesOf(open.text)))) return undefined;
      } else {
        if (open.place.begun) {
          const { values, seen, text } = open;
          const written = bytesOf(text);
          const value = valueOf(written);
          if (values.has(value)) return undefined;
          values.add(value);
          const forget = seen.add(written);
          noted(() => {
            values.delete(value);
            forget();
          });
        }
        open = byte === COLON ? { ...open, part: 'value', place: BEFORE } : byte === COMMA ? { ...open, place: BEFORE, text: undefined, node: 0 } : undefined;
      }
      state = machine.step(state, byte);
    }
    return { state, open };
  }
  #opens(machine: Machine, state: number, byte: number): boolean {
    const { network } = this.#grammar;
    return machine.framesOf(state).some((frame) => network.nodes[machine.nodes[frame]].arcs.some(({ from, to, target }) => from <= byte && byte <= to && network.distinct.has(target)));
  }
  /** Whether the item can become one that was not there: from a byte on with which none of those goes on, any text of the grammar is another one. */
  #goesOn(machine: Machine, state: number, open: Open | undefined): boolean {
    if (!open || open.part === 'value' || open.node < 0) return true;
    const { part, seen } = open;
    const ways = [{ state, node: open.node, place: open.place }];
    for (let at = ways.pop(); at; at = ways.pop())
      for (const byte of machine.bytesOf(at.state)) {
        if (!at.place.begun && (byte === CLOSE || byte === CLOSE_OBJECT)) return true;
        if (at.place.begun && endsPart(part, at.place, byte)) {
          if (!seen.has(at.node)) return true;
          continue;
        }
        const place = after(at.place, byte);
        const node = place.begun ? seen.after(at.node, byte) : at.node;
        if (node < 0) return true;
        ways.push({ state: machine.step(at.state, byte), node, place });
      }
    return false;
  }
}
