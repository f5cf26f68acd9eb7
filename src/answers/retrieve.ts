// Owns reading the answer off the graph: from an interpretation of the question to conclusion, answers, proofs and outcome.
// Refuses to know wording, the model and the cache.

import { strongest } from '../../graph/knowledge/facts/facts.ts';
import { inForce } from '../../graph/knowledge/facts/validity.ts';
import { entity, sameTerm, termKey, termText } from '../../graph/terms.ts';
import type { BaseName, EntityId, Fact, FactId, Path, RelationName, Source, Term, Triple } from '../../graph/terms.ts';
import type { MatchOptions, Page, PathResult } from '../../graph/store.ts';
import type { Atom, Proof, Rule } from '../../graph/reason/types.ts';
import type { AnswerValue } from './port.ts';

/** The reads that answering needs; KnowledgeGraph and the cache's recorder both offer them. */
export interface AnswerGraph {
  follow(base: BaseName, start: Term, path: Path, options?: { readonly limit?: number; readonly signal?: AbortSignal }): Promise<readonly PathResult[]>;
  match(
    base: BaseName,
    pattern: { readonly subject?: EntityId; readonly relation?: RelationName; readonly object?: Term },
    options?: MatchOptions,
  ): Promise<Page<Fact>>;
  ground(base: BaseName, triple: Triple): Promise<{ readonly outcome: 'entailed' | 'refuted' | 'not_entailed'; readonly proof?: Proof }>;
  prove(base: BaseName, triple: Triple): Promise<Proof | undefined>;
  /** World time: milliseconds since 1970 UTC. */
  now(): number;
}

export interface ReadOptions {
  readonly base: BaseName;
  readonly asOf?: string;
  readonly minConfidence?: number;
  /** Ends of one path at most. */
  readonly limit: number;
  readonly signal?: AbortSignal;
}

/** Facts of one pattern read at a time. */
const FACTS = 1_000;

const value = (term: Term): AnswerValue => (term.kind === 'entity' ? term.id : term.value);
export const answerValues = (terms: readonly Term[]): AnswerValue[] => terms.map(value);

export interface Reached {
  /** Each end once. */
  readonly results: readonly PathResult[];
  /** There may be more: the limit was reached, at the ends or on the way. */
  readonly cut: boolean;
}
/** What `path` reaches from `start`, honouring as-of time and least confidence. */
export async function readPath(graph: AnswerGraph, start: Term, path: Path, options: ReadOptions): Promise<Reached> {
  const { base, limit, signal, asOf, minConfidence } = options;
  if (asOf === undefined && minConfidence === undefined) {
    // What is stored comes before what only follows; each in the order of the walk.
    const results = await graph.follow(base, start, path, { limit, signal });
    const isDerived = ({ facts }: PathResult): boolean => facts.some((fact) => 'derived' in fact && fact.derived === true);
    return { results: [...results.filter((result) => !isDerived(result)), ...results.filter(isDerived)], cut: results.length >= limit };
  }
  let frontier: PathResult[] = [{ end: start, facts: [] }];
  let cut = false;
  for (const step of path) {
    const next = new Map<string, PathResult>();
    for (const { end, facts } of frontier) {
      if (!step.inverse && end.kind !== 'entity') continue;
      const pattern = step.inverse ? { relation: step.relation, object: end } : { relation: step.relation, subject: (end as { id: EntityId }).id };
      for await (const fact of allFacts(graph, base, pattern, { asOf, minConfidence, signal })) {
        // Validity now says nothing about what was recorded at another time.
        if (asOf === undefined && !inForce(fact, graph.now())) continue;
        const reached = step.inverse ? entity(fact.subject) : fact.object;
        if (!sameTerm(reached, start) && !next.has(termKey(reached))) next.set(termKey(reached), { end: reached, facts: [...facts, fact] });
        if (next.size >= limit) break;
      }
      cut ||= next.size >= limit;
      if (next.size >= limit) break;
    }
    frontier = [...next.values()];
  }
  return { results: frontier.toSorted((a, b) => (termText(a.end) < termText(b.end) ? -1 : 1)), cut };
}
/** Facts of a pattern, page by page. */
async function* allFacts(graph: AnswerGraph, base: BaseName, pattern: Parameters<AnswerGraph['match']>[1], options: Omit<MatchOptions, 'limit' | 'cursor'>): AsyncGenerator<Fact> {
  let cursor: string | undefined;
  do {
    const page = await graph.match(base, pattern, { ...options, limit: FACTS, cursor });
    yield* page.items;
    ({ cursor } = page);
  } while (cursor !== undefined);
}

const tripleOf = (fact: Fact): Triple => ({ subject: fact.subject, relation: fact.relation, object: fact.object, ...(fact.negated ? { negated: true } : {}) });

/** SPARQL 1.1 property-path notation: `^r` walks r backwards, `/` is "then". */
export const pathText = (path: Path): string => path.map((step) => (step.inverse ? '^' : '') + step.relation).join('/');

const quote = (name: string): string => `"${name.replace(/\\/g, '\\\\').replace(/"/g, '\\"')}"`;

/** The rule that defines a path as a relation: `"a/^b"(?x0, ?x2) :- "a"(?x0, ?x1), "b"(?x2, ?x1).` It follows from the path alone and needs no one's consent. */
export function pathRule(path: Path): Rule {
  const variable = (i: number): { kind: 'variable'; name: string } => ({ kind: 'variable', name: `x${i}` });
  const body: Atom[] = path.map((step, i) => (step.inverse ? { relation: step.relation, subject: variable(i + 1), object: variable(i) } : { relation: step.relation, subject: variable(i), object: variable(i + 1) }));
  const head: Atom = { relation: pathText(path) as RelationName, subject: variable(0), object: variable(path.length) };
  const write = (atom: Atom): string => `${quote(atom.relation)}(${[atom.subject, atom.object].map((term) => (term.kind === 'variable' ? `?${term.name}` : quote(termText(term)))).join(', ')})`;
  return { id: `path:${pathText(path)}`, name: 'path', heads: [head], body, text: `${write(head)} :- ${body.map(write).join(', ')}.` };
}

/** The fact that said a triple best as it was recorded at `asOf`, with at least the confidence asked for. */
export async function factOf(graph: AnswerGraph, triple: Triple, { base, asOf, minConfidence, signal }: Omit<ReadOptions, 'limit'> & { readonly asOf: string }): Promise<Fact | undefined> {
  const { subject, relation, object } = triple;
  let best: Fact | undefined;
  for await (const fact of allFacts(graph, base, { subject, relation, object }, { asOf, minConfidence, signal })) if (!best || strongest(fact, best) < 0) best = fact;
  return best;
}

/** Proof that `path` leads from `start` to `result.end`: the fact itself for one step, else the path's defining rule over the facts walked. */
export async function provePath(graph: AnswerGraph, base: BaseName, start: Term, path: Path, result: PathResult): Promise<Proof | undefined> {
  const premises: Proof[] = [];
  for (const fact of result.facts) {
    const isStored = !('derived' in fact && fact.derived === true);
    const premise: Proof | undefined = isStored ? { kind: 'fact', conclusion: tripleOf(fact), confidence: fact.confidence, fact } : await graph.prove(base, tripleOf(fact));
    if (!premise) return undefined;
    premises.push(premise);
  }
  if (premises.length === 1) return premises[0];
  // A triple's subject is an entity: from a literal the path is told backwards.
  const forward = start.kind === 'entity';
  const walked = forward ? path : path.toReversed().map((step) => ({ relation: step.relation, inverse: !step.inverse }));
  const ends: readonly Term[] = forward ? [start, result.end] : [result.end, start];
  if (ends[0].kind !== 'entity') return undefined;
  const bindings: Record<string, Term> = { x0: start };
  path.forEach((step, i) => {
    const fact = result.facts[i];
    bindings[`x${i + 1}`] = step.inverse ? entity(fact.subject) : fact.object;
  });
  const ordered = forward ? bindings : Object.fromEntries(path.map((_, i) => i).concat(path.length).map((i) => [`x${path.length - i}`, bindings[`x${i}`]]));
  return {
    kind: 'rule',
    conclusion: { subject: ends[0].id, relation: pathText(walked) as RelationName, object: ends[1] },
    confidence: premises.reduce((product, premise) => product * premise.confidence, 1),
    rule: pathRule(walked),
    bindings: ordered,
    premises: forward ? premises : premises.toReversed(),
  };
}

/** Stored facts at the leaves of a proof, each once. */
export function proofFacts(proof: Proof, found = new Map<FactId, Fact>()): Map<FactId, Fact> {
  if (proof.kind === 'fact') found.set(proof.fact.id, proof.fact);
  if (proof.kind === 'rule') for (const premise of proof.premises) proofFacts(premise, found);
  return found;
}
export function proofSources(facts: Iterable<Fact>): Source[] {
  const sources = new Map<string, Source>();
  for (const { source } of facts) if (source !== undefined) sources.set(JSON.stringify(source), source);
  return [...sources.values()];
}

/** Triples told as reasons for a rule's conclusion: the leaves under it, in order, each once. */
export function reasons(proof: Proof, limit: number): Triple[] {
  const found = new Map<string, Triple>();
  const walk = (node: Proof): void => {
    if (node.kind === 'rule') node.premises.forEach(walk);
    else if (node.kind === 'fact' || node.kind === 'given') found.set(`${node.conclusion.subject}|${node.conclusion.relation}|${termKey(node.conclusion.object)}`, node.conclusion);
  };
  walk(proof);
  return [...found.values()].slice(0, limit);
}
