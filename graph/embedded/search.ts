// Owns the index of names in memory: exact by folded name, by beginning, and by pieces in common for what is misspelt.
// Refuses to know what an entity is beyond its number.

import { foldName, nameSimilarity, visitNameGrams } from '../names.ts';
import { grown } from './columns.ts';

export interface NameHit {
  readonly entity: number;
  /** The name that matched, as it was told. */
  readonly matched: string;
  readonly score: number;
}

/** Lengths of beginnings under which a name is filed. */
const BEGINNINGS = [1, 2, 3, 4, 6, 9, 13] as const;
/** Names over this length are found exactly or by their beginning only. */
const FUZZY_LENGTH = 256;
/** Percentage of pieces in common from which a name is worth a comparison; about how many are compared; the score from which it is a hit. */
const LEAST_SHARE = 25;
const COMPARED = 64;
/** Entries of posting lists looked at in one search, rarest pieces first: what every name has tells nothing. */
const POSTINGS = 100_000;
const LEAST_SCORE = 0.6;

function beginningHash(text: string, length: number): number {
  let hash = length;
  for (let i = 0; i < length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193) ^ (hash >>> 13);
  return Math.imul(hash ^ (hash >>> 15), 0x27d4eb2f) >>> 2;
}

/** Rows in one piece of a list: pieces double up to here. */
const LARGEST_PIECE = 512;
/**
 * For each hash the rows filed under it: lists in pieces of one typed array. Hashes that fall together share a list, which only costs comparisons.
 * When there are many rows to a list, `full` says that it is time for more lists.
 */
class Postings {
  readonly lists: number;
  readonly #size: Int32Array;
  /** Of the latest piece of a list: where its rows begin, how many there are, how many fit. Before them stands where the piece before begins, and how many it has. */
  readonly #start: Int32Array;
  readonly #used: Uint16Array;
  readonly #fits: Uint16Array;
  #cells = new Int32Array(256);
  #end = 0;
  #count = 0;
  constructor(lists: number) {
    this.lists = lists;
    this.#size = new Int32Array(lists);
    this.#start = new Int32Array(lists);
    this.#used = new Uint16Array(lists);
    this.#fits = new Uint16Array(lists);
  }
  get full(): boolean {
    return this.#count > this.lists * 32 && this.lists < 1 << 18;
  }
  list(hash: number): number {
    return (hash ^ (hash >>> 13)) & (this.lists - 1);
  }
  size(list: number): number {
    return this.#size[list];
  }
  /** Files a row, not smaller than all before. False when it was the last one filed there. */
  add(hash: number, row: number): boolean {
    const list = this.list(hash);
    const used = this.#used[list];
    if (used > 0 && this.#cells[this.#start[list] + used - 1] === row) return false;
    if (used === this.#fits[list]) this.#extend(list);
    this.#cells[this.#start[list] + this.#used[list]++] = row;
    this.#size[list]++;
    this.#count++;
    return true;
  }
  #extend(list: number): void {
    const fits = Math.min(LARGEST_PIECE, Math.max(2, this.#fits[list] * 2));
    const start = this.#end + 2;
    this.#end = start + fits;
    this.#cells = grown(this.#cells, this.#end);
    this.#cells[start - 2] = this.#start[list];
    this.#cells[start - 1] = this.#used[list];
    this.#start[list] = start;
    this.#used[list] = 0;
    this.#fits[list] = fits;
  }
  /** Adds one to the count of each row of a list; rows that had none are appended to `touched`. */
  tally(list: number, counts: Uint16Array, touched: number[]): void {
    const cells = this.#cells;
    for (let start = this.#start[list], used = this.#used[list]; used > 0; used = cells[start - 1], start = cells[start - 2])
      for (let at = start; at < start + used; at++) if (counts[cells[at]]++ === 0) touched.push(cells[at]);
  }
  visit(list: number, visit: (row: number) => void): void {
    const cells = this.#cells;
    for (let start = this.#start[list], used = this.#used[list]; used > 0; used = cells[start - 1], start = cells[start - 2])
      for (let at = start; at < start + used; at++) visit(cells[at]);
  }
}

/** Names of entities. Each name has a row; rows of names that were given up stay until the index is rebuilt. */
export class NameIndex {
  #text: string[] = [];
  #folded: string[] = [];
  // Rows and entities are written plus one: 0 is none.
  #entity = new Int32Array(0);
  #grams = new Uint16Array(0);
  /** The earlier row with the same folded name; the earlier row of the same entity; the latest row of an entity. */
  #same = new Int32Array(0);
  #idOnly = new Uint8Array(0);
  #sibling = new Int32Array(0);
  #latest = new Int32Array(0);
  #exact = new Map<string, number>();
  #postings = new Postings(256);
  #gone = 0;
  #shared = new Uint16Array(0);

  /** The names of an entity, instead of those it had. By an id that is not among them it is found with `named` only. */
  set(entity: number, id: string, names: readonly string[] = [id]): void {
    const rows = this.#rowsOf(entity);
    const wanted = names.includes(id) ? names : [...names, id];
    if (rows.length === wanted.length && rows.every((row, i) => this.#text[row] === wanted[i] && this.#isName(row) === i < names.length)) return;
    for (const row of rows) this.#remove(row);
    if (entity >= this.#latest.length) this.#latest = grown(this.#latest, entity + 1);
    this.#latest[entity] = 0;
    for (const [i, name] of wanted.entries()) this.#add(entity, name, i < names.length);
    if (this.#gone > Math.max(4096, this.#text.length >> 1)) this.#rebuild();
    else if (this.#postings.full) {
      this.#postings = new Postings(this.#postings.lists * 32);
      for (let row = 0; row < this.#text.length; row++) if (this.#entity[row] !== 0 && this.#isName(row)) this.#file(row);
    }
  }
  has(entity: number): boolean {
    return entity < this.#latest.length && this.#latest[entity] !== 0;
  }
  #rowsOf(entity: number): number[] {
    const rows: number[] = [];
    if (entity < this.#latest.length) for (let at = this.#latest[entity]; at !== 0; at = this.#sibling[at - 1]) rows.unshift(at - 1);
    return rows;
  }
  #isName(row: number): boolean {
    return this.#idOnly[row] === 0;
  }
  #add(entity: number, name: string, isName: boolean): void {
    const row = this.#text.push(name) - 1;
    const folded = foldName(name);
    this.#folded.push(folded);
    if (row >= this.#entity.length) {
      this.#entity = grown(this.#entity, row + 1);
      this.#grams = grown(this.#grams, row + 1);
      this.#same = grown(this.#same, row + 1);
      this.#sibling = grown(this.#sibling, row + 1);
      this.#idOnly = grown(this.#idOnly, row + 1);
    }
    this.#entity[row] = entity + 1;
    this.#sibling[row] = this.#latest[entity];
    this.#latest[entity] = row + 1;
    this.#same[row] = this.#exact.get(folded) ?? 0;
    this.#exact.set(folded, row + 1);
    this.#idOnly[row] = isName ? 0 : 1;
    if (isName) this.#file(row);
  }
  /** Files a name under its beginnings and its pieces. */
  #file(row: number): void {
    const folded = this.#folded[row];
    for (const length of BEGINNINGS) if (length <= folded.length) this.#postings.add(beginningHash(folded, length), row);
    if (folded.length > FUZZY_LENGTH) return;
    let grams = 0;
    visitNameGrams(folded, (hash) => {
      if (this.#postings.add(hash, row)) grams++;
    });
    this.#grams[row] = grams;
  }
  #remove(row: number): void {
    this.#entity[row] = 0;
    this.#gone++;
    const folded = this.#folded[row];
    let at = this.#exact.get(folded) ?? 0;
    if (at === row + 1) {
      if (this.#same[row] === 0) this.#exact.delete(folded);
      else this.#exact.set(folded, this.#same[row]);
      return;
    }
    while (at !== 0 && this.#same[at - 1] !== row + 1) at = this.#same[at - 1];
    if (at !== 0) this.#same[at - 1] = this.#same[row];
  }
  #rebuild(): void {
    const names: [number, string, boolean][] = [];
    for (let row = 0; row < this.#text.length; row++) if (this.#entity[row] !== 0) names.push([this.#entity[row] - 1, this.#text[row], this.#isName(row)]);
    this.#text = [];
    this.#folded = [];
    this.#exact = new Map();
    this.#postings = new Postings(this.#postings.lists);
    this.#latest.fill(0);
    this.#gone = 0;
    for (const [entity, name, isName] of names) this.#add(entity, name, isName);
  }

  /** At most `limit` entities for which `known` is true, best first, each once with its best name. */
  search(text: string, limit: number, known: (entity: number) => boolean): NameHit[] {
    const wanted = foldName(text);
    if (wanted === '' || limit <= 0) return [];
    const best = new Map<number, { row: number; score: number }>();
    const offer = (row: number, score: number): void => {
      const entity = this.#entity[row] - 1;
      if (entity < 0 || score < LEAST_SCORE || !known(entity)) return;
      const old = best.get(entity);
      const better =
        old === undefined || score > old.score || (score === old.score && (this.#text[row] === text || (row < old.row && this.#text[old.row] !== text)));
      if (better) best.set(entity, { row, score });
    };
    for (let at = this.#exact.get(wanted) ?? 0; at !== 0; at = this.#same[at - 1]) if (this.#isName(at - 1)) offer(at - 1, 1);
    // One or two letters are the beginning of too much, and like everything.
    const dense = wanted.charCodeAt(0) > 0x10ff;
    if (best.size < limit) {
      if (dense || wanted.length >= 2) for (const row of this.#beginningWith(wanted, limit)) offer(row, nameSimilarity(wanted, this.#folded[row]));
      if ((dense || wanted.length >= 3) && wanted.length <= FUZZY_LENGTH)
        for (const row of this.#like(wanted)) offer(row, nameSimilarity(wanted, this.#folded[row]));
    }
    return [...best]
      .map(([entity, { row, score }]) => ({ entity, matched: this.#text[row], score }))
      .sort((a, b) => b.score - a.score || Number(b.matched === text) - Number(a.matched === text) || a.entity - b.entity)
      .slice(0, limit);
  }
  /** Entities with this folded name or id, each once. */
  named(folded: string): NameHit[] {
    const rows = new Map<number, number>();
    // From the latest row to the first, so that the first name of an entity stays.
    for (let at = folded === '' ? 0 : (this.#exact.get(folded) ?? 0); at !== 0; at = this.#same[at - 1]) rows.set(this.#entity[at - 1] - 1, at - 1);
    return [...rows].map(([entity, row]) => ({ entity, matched: this.#text[row], score: 1 }));
  }
  /** Rows of the shortest names that begin with the text; more than `limit`, for an entity may have several. */
  #beginningWith(wanted: string, limit: number): number[] {
    const length = BEGINNINGS.findLast((each) => each <= wanted.length) ?? 1;
    const rows: number[] = [];
    this.#postings.visit(this.#postings.list(beginningHash(wanted, length)), (row) => {
      if (this.#entity[row] !== 0 && this.#folded[row].startsWith(wanted)) rows.push(row);
    });
    const enough = limit * 4;
    if (rows.length <= enough) return rows;
    const lengths: number[] = [];
    for (const row of rows) lengths[this.#folded[row].length] = (lengths[this.#folded[row].length] ?? 0) + 1;
    let longest = 0;
    for (let sum = 0; sum < enough; longest++) sum += lengths[longest] ?? 0;
    return rows.filter((row) => this.#folded[row].length < longest);
  }
  /** Rows of the names that have most pieces in common with the text. */
  #like(wanted: string): number[] {
    const lists = new Set<number>();
    visitNameGrams(wanted, (hash) => void lists.add(this.#postings.list(hash)));
    const rarest = [...lists].sort((a, b) => this.#postings.size(a) - this.#postings.size(b));
    this.#shared = grown(this.#shared, this.#text.length);
    const counts = this.#shared;
    const touched: number[] = [];
    let [used, left] = [0, POSTINGS];
    for (const list of rarest) {
      left -= this.#postings.size(list);
      if (used > 0 && left < 0) break;
      used++;
      this.#postings.tally(list, counts, touched);
    }
    // Of the pieces that were not looked at, as many are in common as of the others. A text that is wholly inside a long name is worth a comparison, too.
    const share = (row: number): number => {
      const shared = (counts[row] * lists.size) / used;
      return Math.min(1, Math.max((2 * shared) / (lists.size + this.#grams[row]), (0.6 * shared) / lists.size - 0.15));
    };
    const percent = new Uint32Array(101);
    for (const row of touched) percent[Math.floor(share(row) * 100)]++;
    let least = 100;
    for (let sum = percent[100]; least > LEAST_SHARE && sum < COMPARED;) sum += percent[--least];
    const rows: number[] = [];
    for (const row of touched) {
      if (Math.floor(share(row) * 100) >= least && rows.length < COMPARED * 4 && this.#entity[row] !== 0) rows.push(row);
      counts[row] = 0;
    }
    return rows;
  }
}
