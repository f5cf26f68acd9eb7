// Owns what an answer depended on: the recorder that notes every read of the graph, and the re-reading that settles a doubt.
// Refuses to know how entries are kept and what the answer was.

import { hash } from 'node:crypto';
import { foldName } from '../../../graph/names.ts';
import { termKey } from '../../../graph/terms.ts';
import type { BaseName, Entity, EntityId, Fact, Path, RelationName, Term, Triple, TriplePattern } from '../../../graph/terms.ts';
import type { EntityHit, MatchOptions, Page, PathResult, PathSummary, RelationSummary } from '../../../graph/store.ts';
import type { Outcome, Proof } from '../../../graph/reason/types.ts';

/** What a write changed, as the knowledge graph reports it to its subscribers. Stored and derived triples alike. */
export interface ChangeEvent {
  readonly base: BaseName;
  readonly version: number;
  readonly added: readonly Triple[];
  readonly removed: readonly Triple[];
  readonly rulesChanged: readonly string[];
  readonly entitiesChanged: readonly EntityId[];
  readonly relationsChanged: readonly RelationName[];
}

type ReadLimits = { readonly limit?: number; readonly signal?: AbortSignal };
type Grounded = { readonly outcome: Outcome; readonly proof?: Proof };
/** The reads of the knowledge graph that answering may use. */
export interface ReadableGraph {
  search(base: BaseName, text: string, options?: ReadLimits): Promise<readonly EntityHit[]>;
  named(base: BaseName, names: readonly string[]): Promise<ReadonlyMap<string, readonly EntityHit[]>>;
  entities(base: BaseName, ids: readonly EntityId[]): Promise<readonly Entity[]>;
  relations(base: BaseName): Promise<readonly RelationSummary[]>;
  paths(base: BaseName, start: Term, options: ReadLimits & { readonly hops: number }): Promise<readonly PathSummary[]>;
  follow(base: BaseName, start: Term, path: Path, options?: ReadLimits): Promise<readonly PathResult[]>;
  match(base: BaseName, pattern: TriplePattern, options?: MatchOptions): Promise<Page<Fact>>;
  ground(base: BaseName, triple: Triple): Promise<Grounded>;
  prove(base: BaseName, triple: Triple): Promise<Proof | undefined>;
  /** World time: milliseconds since 1970 UTC. */
  now(): number;
}

/** A read whose result a write may or may not have changed; only reading again can tell. */
export type Read =
  | { readonly kind: 'search'; readonly text: string; readonly limit?: number }
  /** Folded names. */
  | { readonly kind: 'named'; readonly names: readonly string[] }
  | { readonly kind: 'entities'; readonly ids: readonly EntityId[] }
  /** `counts`: the answer looked at how many facts there are, not only at names and properties. */
  | { readonly kind: 'relations'; readonly counts: boolean }
  /** `ends`: the answer looked at what the paths reach, not only at which exist. */
  | { readonly kind: 'paths'; readonly start: Term; readonly hops: number; readonly limit?: number; readonly ends: boolean }
  | { readonly kind: 'ground'; readonly triple: Triple }
  | { readonly kind: 'prove'; readonly triple: Triple }
  /** Everything: no part of it can be read again alone. */
  | { readonly kind: 'whole' };

/** A read, the digest of what it gave, and which triples can change that. */
export interface Doubt {
  readonly read: Read;
  readonly digest: string;
  /** Only triples that hold one of these terms (by `termKey`) or, for a search, a name like its text can matter. Absent: any write can. */
  readonly near?: ReadonlySet<string>;
}

/** Everything in one base that an answer was made from. A write that touches any of the lists makes the answer stale; one near a doubt may have. */
export interface Dependencies {
  readonly base: BaseName;
  /** Facts used (all positions given) and patterns that were enumerated or found empty. `{}` means every triple. */
  readonly patterns: readonly TriplePattern[];
  readonly rules: readonly string[];
  /** Entities whose names or types were read. */
  readonly entities: readonly EntityId[];
  readonly doubts: readonly Doubt[];
}

/** Patterns of one answer at most; beyond it the answer depends on every triple of the base. */
const PATTERNS = 4096;
/** Terms around a start that are told apart at most; beyond it any triple may matter to its paths. */
const NEIGHBOURS = 512;
/** Nodes between two steps of a path that are told apart at most; beyond it the whole relation of the later step counts. */
const FRONTIER = 512;

/** Of an answer in whose world other things follow than in the base: no write says what it changed there, so that any may have changed it. */
export const dependsOnAll = (base: BaseName): Dependencies => ({ base, patterns: [], rules: [], entities: [], doubts: [{ read: { kind: 'whole' }, digest: '' }] });

const digestOf = (value: unknown): string => hash('sha1', JSON.stringify(value) ?? '', 'base64');
const orderedTriple = ({ subject, relation, object, negated }: Triple): Triple => ({ subject, relation, object, ...(negated ? { negated } : {}) });
const patternKey = ({ subject, relation, object, negated }: TriplePattern): string =>
  `${negated ? '-' : '+'}${subject ?? '\u0002'}\u0000${relation ?? '\u0002'}\u0000${object ? termKey(object) : ''}`;

/** Two-letter pieces of a name after case, accent and space folding; names that share none cannot be mistaken for each other. */
export function nameGrams(text: string): Set<string> {
  const folded = text.normalize('NFKD').replace(/\p{M}/gu, '').toLowerCase().replace(/[^\p{L}\p{N}]/gu, '');
  const characters = [...folded];
  const grams = new Set<string>();
  if (characters.length < 3) for (const character of characters) grams.add(character);
  for (let i = 0; i + 1 < characters.length; i++) grams.add(characters[i] + characters[i + 1]);
  return grams;
}

const relationView = (list: readonly RelationSummary[], counts: boolean): unknown =>
  list.map(({ facts, literals, ...relation }) => (counts ? { facts, literals, ...relation } : relation));
const pathView = (list: readonly PathSummary[], ends: boolean): unknown => list.map((summary) => (ends ? [summary.path, summary.ends, summary.sample] : summary.path));
const namedView = (hits: ReadonlyMap<string, readonly EntityHit[]>): unknown => [...hits].map(([name, found]) => [name, searchView(found)]).toSorted((a, b) => (String(a[0]) < String(b[0]) ? -1 : 1));
const searchView = (hits: readonly EntityHit[]): unknown => hits.map(({ entity, matched, score }) => [entity, matched, score]);

/** Terms whose edges decide which paths of `hops` steps leave `start`; undefined when there are too many. */
async function surroundings(graph: ReadableGraph, base: BaseName, start: Term, hops: number): Promise<Set<string> | undefined> {
  const near = new Set<string>([termKey(start)]);
  let frontier: Term[] = [start];
  for (let hop = 1; hop < hops; hop++) {
    const next: Term[] = [];
    for (const term of frontier) {
      const patterns: TriplePattern[] = term.kind === 'entity' ? [{ subject: term.id }, { object: term }] : [{ object: term }];
      for (const pattern of patterns) {
        const page = await graph.match(base, pattern, { limit: NEIGHBOURS });
        if (page.cursor !== undefined) return undefined;
        for (const fact of page.items) {
          const other: Term = pattern.subject === undefined ? { kind: 'entity', id: fact.subject } : fact.object;
          if (near.has(termKey(other))) continue;
          if (near.size >= NEIGHBOURS) return undefined;
          near.add(termKey(other));
          next.push(other);
        }
      }
    }
    frontier = next;
  }
  return near;
}

/**
 * The knowledge graph's reads, one answer long: passes each on and notes what it depended on.
 * Reads about another base than the recorder's own are refused with RangeError.
 */
export class Recorder implements ReadableGraph {
  readonly #graph: ReadableGraph;
  readonly #base: BaseName;
  readonly #patterns = new Map<string, TriplePattern>();
  readonly #rules = new Set<string>();
  readonly #entities = new Set<EntityId>();
  /** Called once the answer is made, when it is known how much of each result was looked at. */
  readonly #noted: (() => Doubt)[] = [];
  #everything = false;

  constructor(graph: ReadableGraph, base: BaseName) {
    this.#graph = graph;
    this.#base = base;
  }

  /** What has been read so far. */
  dependencies(): Dependencies {
    return {
      base: this.#base,
      patterns: this.#everything ? [{}, { negated: true }] : [...this.#patterns.values()],
      rules: [...this.#rules],
      entities: [...this.#entities],
      doubts: [...new Map(this.#noted.map((doubt) => doubt()).map((doubt) => [JSON.stringify([doubt.read, doubt.digest]), doubt])).values()],
    };
  }

  /** What the clock makes true or false is told like a write. */
  now(): number {
    return this.#graph.now();
  }
  async search(base: BaseName, text: string, options: ReadLimits = {}): Promise<readonly EntityHit[]> {
    this.#own(base);
    const hits = await this.#graph.search(base, text, options);
    const read: Read = { kind: 'search', text, limit: options.limit };
    this.#noted.push(() => ({ read, digest: digestOf(searchView(hits)), near: searchScope(hits) }));
    return hits;
  }

  async named(base: BaseName, names: readonly string[]): Promise<ReadonlyMap<string, readonly EntityHit[]>> {
    this.#own(base);
    const hits = await this.#graph.named(base, names);
    const read: Read = { kind: 'named', names: [...new Set(names.map(foldName))] };
    this.#noted.push(() => ({ read, digest: digestOf(namedView(hits)), near: searchScope([...hits.values()].flat()) }));
    return hits;
  }

  async entities(base: BaseName, ids: readonly EntityId[]): Promise<readonly Entity[]> {
    this.#own(base);
    const found = await this.#graph.entities(base, ids);
    for (const id of ids) this.#entities.add(id);
    const read: Read = { kind: 'entities', ids: [...ids] };
    this.#noted.push(() => ({ read, digest: digestOf(found), near: entityScope(ids) }));
    return found;
  }

  /** The summaries' `facts` and `literals` change with every write: an answer that looks at them depends on every triple. */
  async relations(base: BaseName): Promise<readonly RelationSummary[]> {
    this.#own(base);
    const list = await this.#graph.relations(base);
    let counts = false;
    const watched = list.map(({ facts, literals, ...relation }) => ({
      ...relation,
      get facts(): number {
        counts = true;
        return facts;
      },
      get literals(): number {
        counts = true;
        return literals;
      },
    }));
    this.#noted.push(() => ({ read: { kind: 'relations', counts }, digest: digestOf(relationView(list, counts)) }));
    return watched;
  }

  /** The summaries' `ends` and `sample` change more often than which paths exist: an answer that leaves them alone is kept longer. */
  async paths(base: BaseName, start: Term, options: ReadLimits & { readonly hops: number }): Promise<readonly PathSummary[]> {
    this.#own(base);
    const near = await surroundings(this.#graph, base, start, options.hops);
    const list = await this.#graph.paths(base, start, options);
    let ends = false;
    const watched = list.map((summary) => ({
      path: summary.path,
      get ends(): number {
        ends = true;
        return summary.ends;
      },
      get sample(): readonly Term[] {
        ends = true;
        return summary.sample;
      },
    }));
    const { hops, limit } = options;
    this.#noted.push(() => ({ read: { kind: 'paths', start, hops, limit, ends }, digest: digestOf(pathView(list, ends)), near }));
    return watched;
  }

  async follow(base: BaseName, start: Term, path: Path, options: ReadLimits = {}): Promise<readonly PathResult[]> {
    this.#own(base);
    let frontier: readonly Term[] | undefined = [start];
    for (let i = 0; i < path.length; i++) {
      const { relation, inverse } = path[i];
      if (!frontier) {
        this.#pattern({ relation });
        continue;
      }
      for (const term of frontier) if (inverse) this.#pattern({ relation, object: term });
      else if (term.kind === 'entity') this.#pattern({ subject: term.id, relation });
      if (i + 1 === path.length) break;
      const reached = await this.#graph.follow(base, start, path.slice(0, i + 1), { limit: FRONTIER + 1, signal: options.signal });
      // `follow` never reports the start as an end, but a loop may lead through it.
      frontier = reached.length > FRONTIER ? undefined : [start, ...reached.map(({ end }) => end)];
    }
    const results = await this.#graph.follow(base, start, path, options);
    for (const { facts } of results) for (const fact of facts) this.#fact(fact);
    return results;
  }

  async match(base: BaseName, pattern: TriplePattern, options: MatchOptions = {}): Promise<Page<Fact>> {
    this.#own(base);
    this.#pattern(pattern);
    return this.#graph.match(base, pattern, options);
  }

  async ground(base: BaseName, triple: Triple): Promise<Grounded> {
    this.#own(base);
    const { subject, relation, object } = triple;
    for (const negated of [false, true]) this.#pattern({ subject, relation, object, negated });
    const result = await this.#graph.ground(base, triple);
    if (result.proof) this.#proof(result.proof);
    this.#noted.push(() => ({ read: { kind: 'ground', triple: orderedTriple(triple) }, digest: digestOf(result) }));
    return result;
  }

  async prove(base: BaseName, triple: Triple): Promise<Proof | undefined> {
    this.#own(base);
    this.#fact(triple);
    const proof = await this.#graph.prove(base, triple);
    if (proof) this.#proof(proof);
    this.#noted.push(() => ({ read: { kind: 'prove', triple: orderedTriple(triple) }, digest: digestOf(proof) }));
    return proof;
  }

  #own(base: BaseName): void {
    if (base !== this.#base) throw new RangeError(`this recorder notes reads of knowledge base ${JSON.stringify(this.#base)}, not of ${JSON.stringify(base)}; make one recorder for each answer`);
  }
  #pattern({ subject, relation, object, negated }: TriplePattern): void {
    if (this.#everything) return;
    const pattern: TriplePattern = { ...(subject !== undefined && { subject }), ...(relation !== undefined && { relation }), ...(object !== undefined && { object }), ...(negated && { negated }) };
    this.#patterns.set(patternKey(pattern), pattern);
    if (this.#patterns.size <= PATTERNS) return;
    this.#everything = true;
    this.#patterns.clear();
  }
  #fact({ subject, relation, object, negated }: Triple): void {
    this.#pattern({ subject, relation, object, negated });
  }
  #proof(proof: Proof): void {
    const open: Proof[] = [proof];
    for (let node = open.pop(); node !== undefined; node = open.pop()) {
      if (node.kind === 'fact' || node.kind === 'given') this.#fact(node.conclusion);
      if (node.kind !== 'rule') continue;
      this.#fact(node.conclusion);
      this.#rules.add(node.rule.id);
      open.push(...node.premises);
    }
  }
}

const searchScope = (hits: readonly EntityHit[]): Set<string> => new Set(hits.map(({ entity }) => `e${entity.id}`));
const entityScope = (ids: readonly EntityId[]): Set<string> => new Set(ids.map((id) => `e${id}`));

/** Whether a write could have changed what the doubt's read gives. Never says no wrongly. */
export function mayConcern(doubt: Doubt, event: ChangeEvent): boolean {
  const { read, near } = doubt;
  if (read.kind === 'whole') return true;
  if (event.rulesChanged.length > 0 && (read.kind === 'ground' || read.kind === 'prove')) return true;
  if (event.relationsChanged.length > 0 && read.kind !== 'search' && read.kind !== 'named' && read.kind !== 'entities') return true;
  if (event.entitiesChanged.length > 0 && (read.kind === 'search' || read.kind === 'named' || read.kind === 'entities')) return true;
  if (near === undefined) return event.added.length + event.removed.length > 0;
  const grams = read.kind === 'search' ? nameGrams(read.text) : undefined;
  const names = read.kind === 'named' ? new Set(read.names) : undefined;
  const alike = (name: string): boolean => (grams !== undefined && [...nameGrams(name)].some((gram) => grams.has(gram))) || (names !== undefined && names.has(foldName(name)));
  const touches = ({ subject, object }: Triple): boolean =>
    near.has(`e${subject}`) || near.has(termKey(object)) || alike(subject) || (object.kind === 'entity' && alike(object.id));
  return event.added.some(touches) || event.removed.some(touches);
}

async function again(graph: ReadableGraph, base: BaseName, read: Exclude<Read, { readonly kind: 'whole' }>): Promise<Doubt> {
  switch (read.kind) {
    case 'search': {
      const hits = await graph.search(base, read.text, { limit: read.limit });
      return { read, digest: digestOf(searchView(hits)), near: searchScope(hits) };
    }
    case 'named': {
      const hits = await graph.named(base, read.names);
      return { read, digest: digestOf(namedView(hits)), near: searchScope([...hits.values()].flat()) };
    }
    case 'entities':
      return { read, digest: digestOf(await graph.entities(base, read.ids)), near: entityScope(read.ids) };
    case 'relations':
      return { read, digest: digestOf(relationView(await graph.relations(base), read.counts)) };
    case 'paths': {
      const near = await surroundings(graph, base, read.start, read.hops);
      return { read, digest: digestOf(pathView(await graph.paths(base, read.start, { hops: read.hops, limit: read.limit }), read.ends)), near };
    }
    case 'ground':
      return { read, digest: digestOf(await graph.ground(base, read.triple)) };
    case 'prove':
      return { read, digest: digestOf(await graph.prove(base, read.triple)) };
    default:
      return read satisfies never;
  }
}

/** Reads again what is in doubt. The doubts as they stand now when every result is the same; undefined when one differs, or only the whole question can tell. */
export async function settle(graph: ReadableGraph, base: BaseName, doubts: readonly Doubt[], signal?: AbortSignal): Promise<readonly Doubt[] | undefined> {
  const settled: Doubt[] = [];
  for (const doubt of doubts) {
    if (doubt.read.kind === 'whole') return undefined;
    signal?.throwIfAborted();
    const now = await again(graph, base, doubt.read);
    if (now.digest !== doubt.digest) return undefined;
    settled.push(now);
  }
  return settled;
}
