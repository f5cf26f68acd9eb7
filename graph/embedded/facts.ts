// Owns the live facts of one knowledge base in memory: columns of numbers, and for each pattern shape the list of rows to look at.
// Refuses to know names and values (dictionary.ts), the file, and withdrawn facts.

import { grown, PairTable, RowLists } from './columns.ts';

/** A fact in numbers. `key` is the relation's number times two, plus one when negated. */
export interface FactRow {
  /** Grows from fact to fact; the fact's id is made of it. */
  readonly number: number;
  readonly subject: number;
  readonly key: number;
  readonly object: number;
  readonly confidence: number;
  /** 0: none; 2n + 1: text n as told; 2n + 2: the document named by text n. */
  readonly source: number;
  /** Place in the document; NaN for what was not told. */
  readonly page: number;
  readonly start: number;
  readonly end: number;
  /** Text number plus one; 0: unbounded. */
  readonly from: number;
  readonly to: number;
  /** Milliseconds since 1970 UTC. */
  readonly recorded: number;
}
/** A pattern in numbers; -1 matches anything. */
export interface Shape {
  readonly subject: number;
  readonly relation: number;
  readonly object: number;
  readonly negated: 0 | 1;
}

/** Rows are numbered from 0 in the order of fact numbers. Numbers of rows change only in `compact`. */
export class FactTable {
  #number = new Float64Array(0);
  #confidence = new Float64Array(0);
  #recorded = new Float64Array(0);
  #subject = new Int32Array(0);
  #key = new Int32Array(0);
  #object = new Int32Array(0);
  #source = new Int32Array(0);
  #from = new Int32Array(0);
  #to = new Int32Array(0);
  /** Three cells a row; made when the first place in a document is told. */
  #places: Float64Array | undefined;
  #live = new Uint8Array(0);
  #count = 0;
  #liveCount = 0;
  /** Facts and descriptions that name a term, by term; facts with a literal object, by key. */
  #uses = new Int32Array(0);
  #literals = new Int32Array(0);

  /** Known entities: those in a live fact, and those that were described. */
  #entities = 0;
  readonly #isEntity: (term: number) => boolean;
  readonly #described: { keys(): Iterable<number> };

  readonly #all = { subject: new RowLists(), object: new RowLists(), key: new RowLists() };
  /** Lists by pair of term and key, and what number each pair has. */
  readonly outward = { pairs: new PairTable(), rows: new RowLists() };
  readonly inward = { pairs: new PairTable(), rows: new RowLists() };

  /** `described`: terms that are known whether a fact names them or not. The table is told by `describe` when one is added. */
  constructor(isEntity: (term: number) => boolean, described: { keys(): Iterable<number> }) {
    this.#isEntity = isEntity;
    this.#described = described;
  }
  get count(): number {
    return this.#count;
  }
  get live(): number {
    return this.#liveCount;
  }
  isLive(row: number): boolean {
    return this.#live[row] === 1;
  }
  subject(row: number): number {
    return this.#subject[row];
  }
  key(row: number): number {
    return this.#key[row];
  }
  object(row: number): number {
    return this.#object[row];
  }
  number(row: number): number {
    return this.#number[row];
  }
  confidence(row: number): number {
    return this.#confidence[row];
  }
  recorded(row: number): number {
    return this.#recorded[row];
  }
  source(row: number): number {
    return this.#source[row];
  }
  from(row: number): number {
    return this.#from[row];
  }
  to(row: number): number {
    return this.#to[row];
  }
  get(row: number): FactRow {
    const places = this.#places;
    const at = row * 3;
    return {
      number: this.#number[row],
      subject: this.#subject[row],
      key: this.#key[row],
      object: this.#object[row],
      confidence: this.#confidence[row],
      source: this.#source[row],
      page: places ? places[at] : Number.NaN,
      start: places ? places[at + 1] : Number.NaN,
      end: places ? places[at + 2] : Number.NaN,
      from: this.#from[row],
      to: this.#to[row],
      recorded: this.#recorded[row],
    };
  }

  /** Does the term stand in a live fact, or was it described? */
  isKnown(term: number): boolean {
    return term >= 0 && term < this.#uses.length && this.#uses[term] > 0;
  }
  get entities(): number {
    return this.#entities;
  }
  /** One more term was described. */
  describe(term: number): void {
    this.#use(term, 1);
  }
  /** Live facts of a key, and those of them whose object is a literal. */
  countOf(key: number): number {
    return this.#all.key.size(key);
  }
  literalsOf(key: number): number {
    return key < this.#literals.length ? this.#literals[key] : 0;
  }

  /** Adds a live fact whose number is larger than all before. Gives its row. */
  add(fact: FactRow): number {
    const row = this.#count++;
    if (row >= this.#live.length) this.#grow(row + 1);
    this.#number[row] = fact.number;
    this.#confidence[row] = fact.confidence;
    this.#recorded[row] = fact.recorded;
    this.#subject[row] = fact.subject;
    this.#key[row] = fact.key;
    this.#object[row] = fact.object;
    this.#source[row] = fact.source;
    this.#from[row] = fact.from;
    this.#to[row] = fact.to;
    if (!this.#places && !(Number.isNaN(fact.page) && Number.isNaN(fact.start) && Number.isNaN(fact.end)))
      this.#places = new Float64Array(this.#live.length * 3).fill(Number.NaN);
    if (this.#places) {
      this.#places[row * 3] = fact.page;
      this.#places[row * 3 + 1] = fact.start;
      this.#places[row * 3 + 2] = fact.end;
    }
    this.#live[row] = 1;
    this.#enter(row);
    return row;
  }
  #grow(length: number): void {
    this.#live = grown(this.#live, length);
    const all = this.#live.length;
    this.#number = grown(this.#number, all);
    this.#confidence = grown(this.#confidence, all);
    this.#recorded = grown(this.#recorded, all);
    this.#subject = grown(this.#subject, all);
    this.#key = grown(this.#key, all);
    this.#object = grown(this.#object, all);
    this.#source = grown(this.#source, all);
    this.#from = grown(this.#from, all);
    this.#to = grown(this.#to, all);
    if (this.#places) this.#places = grown(this.#places, all * 3);
  }
  #enter(row: number): void {
    const [subject, key, object] = [this.#subject[row], this.#key[row], this.#object[row]];
    this.#all.subject.append(subject, row);
    this.#all.object.append(object, row);
    this.#all.key.append(key, row);
    this.outward.rows.append(this.outward.pairs.add(subject, key), row);
    this.inward.rows.append(this.inward.pairs.add(object, key), row);
    this.#tally(row, 1);
  }
  #tally(row: number, by: 1 | -1): void {
    const [subject, key, object] = [this.#subject[row], this.#key[row], this.#object[row]];
    this.#use(subject, by);
    this.#use(object, by);
    if (!this.#isEntity(object)) {
      if (key >= this.#literals.length) this.#literals = grown(this.#literals, key + 1);
      this.#literals[key] += by;
    }
    this.#liveCount += by;
  }
  #use(term: number, by: 1 | -1): void {
    if (term >= this.#uses.length) this.#uses = grown(this.#uses, term + 1);
    const uses = (this.#uses[term] += by);
    if (uses === (by === 1 ? 1 : 0) && this.#isEntity(term)) this.#entities += by;
  }
  /** The fact of a row is withdrawn. */
  remove(row: number): void {
    const [subject, key, object] = [this.#subject[row], this.#key[row], this.#object[row]];
    this.#live[row] = 0;
    this.#all.subject.drop(subject);
    this.#all.object.drop(object);
    this.#all.key.drop(key);
    this.outward.rows.drop(this.outward.pairs.find(subject, key));
    this.inward.rows.drop(this.inward.pairs.find(object, key));
    this.#tally(row, -1);
  }

  /** The row of the live fact with this number, or -1. */
  find(number: number): number {
    const row = this.#notBefore(number);
    return row < this.#count && this.#number[row] === number && this.#live[row] === 1 ? row : -1;
  }
  /** First row whose number is at least `number`. */
  #notBefore(number: number): number {
    let [low, high] = [0, this.#count];
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.#number[middle] < number) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  /**
   * Calls `visit` with each live row of the shape in ascending order, from behind the fact number `after`, until it returns false.
   */
  scan({ subject, relation, object, negated }: Shape, after: number, visit: (row: number) => boolean): void {
    const key = relation < 0 ? -1 : relation * 2 + negated;
    const behind = after < 0 ? 0 : this.#notBefore(after + 1);
    const fits = (row: number): boolean =>
      (subject < 0 || this.#subject[row] === subject) &&
      (object < 0 || this.#object[row] === object) &&
      (key < 0 ? (this.#key[row] & 1) === negated : this.#key[row] === key);
    const [lists, list] = this.#lists(subject, key, object);
    if (!lists) {
      for (let row = behind; row < this.#count; row++) if (this.#live[row] === 1 && (this.#key[row] & 1) === negated && !visit(row)) return;
      return;
    }
    // A page begins where the last one ended, without a walk from the beginning, as long as its last row is still here.
    const last = behind - 1;
    let row =
      after >= 0 && last >= 0 && this.#number[last] === after && this.#live[last] === 1 && fits(last)
        ? lists.after(list, last, this.#live)
        : lists.first(list, this.#live);
    while (row >= 0) {
      if (row >= behind && fits(row) && !visit(row)) return;
      row = lists.after(list, row, this.#live);
    }
  }
  /** The shortest list in which all rows of a shape are; none where every row has to be looked at. */
  #lists(subject: number, key: number, object: number): readonly [RowLists | undefined, number] {
    const { outward, inward } = this;
    if (key >= 0) {
      const out = subject < 0 ? -1 : outward.pairs.find(subject, key);
      const inn = object < 0 ? -1 : inward.pairs.find(object, key);
      if (subject >= 0 && object >= 0) return outward.rows.size(out) <= inward.rows.size(inn) ? [outward.rows, out] : [inward.rows, inn];
      if (subject >= 0) return [outward.rows, out];
      return object >= 0 ? [inward.rows, inn] : [this.#all.key, key];
    }
    if (subject >= 0 && (object < 0 || this.#all.subject.size(subject) <= this.#all.object.size(object))) return [this.#all.subject, subject];
    return object >= 0 ? [this.#all.object, object] : [undefined, -1];
  }
  /** The live row with the same triple, source and validity, or -1. */
  findSame(fact: FactRow): number {
    const { subject, key, object } = fact;
    const [lists, list] = this.#lists(subject, key, object);
    if (!lists) return -1;
    for (let row = lists.first(list, this.#live); row >= 0; row = lists.after(list, row, this.#live))
      if (this.#subject[row] === subject && this.#object[row] === object && this.#source[row] === fact.source && this.#sameBody(row, fact)) return row;
    return -1;
  }
  #sameBody(row: number, { from, to, page, start, end }: FactRow): boolean {
    if (this.#from[row] !== from || this.#to[row] !== to) return false;
    const places = this.#places;
    if (!places) return Number.isNaN(page) && Number.isNaN(start) && Number.isNaN(end);
    const at = row * 3;
    return Object.is(places[at], page) && Object.is(places[at + 1], start) && Object.is(places[at + 2], end);
  }

  /** The first live row of the list of a pair, of `outward` or `inward`; -1 when there is none. */
  firstOf(side: FactTable['outward'], pair: number): number {
    return side.rows.first(pair, this.#live);
  }
  /** The next live row of such a list, or -1. */
  nextOf(side: FactTable['outward'], pair: number, row: number): number {
    return side.rows.after(pair, row, this.#live);
  }

  /** Takes back what a failed transaction did: rows from `count` on go, the withdrawn ones before it live again. */
  rollback(count: number, withdrawn: readonly number[]): void {
    this.#count = count;
    for (const row of withdrawn) if (row < count) this.#live[row] = 1;
    this.#reindex();
  }
  /** Gives up the rows of withdrawn facts when they are more than the live ones. */
  compact(): void {
    if (this.#count - this.#liveCount < Math.max(4096, this.#liveCount)) return;
    let to = 0;
    for (let row = 0; row < this.#count; row++) {
      if (this.#live[row] === 0) continue;
      if (to < row) {
        for (const column of [this.#number, this.#confidence, this.#recorded, this.#subject, this.#key, this.#object, this.#source, this.#from, this.#to])
          column[to] = column[row];
        this.#places?.copyWithin(to * 3, row * 3, row * 3 + 3);
        this.#live[to] = 1;
      }
      to++;
    }
    this.#count = to;
    this.#reindex();
  }
  #reindex(): void {
    for (const lists of [...Object.values(this.#all), this.outward.rows, this.inward.rows]) lists.clear();
    this.outward.pairs.clear();
    this.inward.pairs.clear();
    this.#uses.fill(0);
    this.#literals.fill(0);
    this.#liveCount = 0;
    this.#entities = 0;
    for (const term of this.#described.keys()) this.#use(term, 1);
    for (let row = 0; row < this.#count; row++) if (this.#live[row] === 1) this.#enter(row);
  }
}
