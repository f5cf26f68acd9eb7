// Owns the reading of a question: what it means, what the graph says to it, and everything that the reply is worded from.
// Refuses to know the model, the cache, and how sentences are written.

import { entity, termText } from '../../graph/terms.ts';
import type { BaseName, Entity, EntityId, Term, Triple } from '../../graph/terms.ts';
import type { PathResult, RelationSummary } from '../../graph/store.ts';
import type { Outcome, Proof } from '../../graph/reason/types.ts';
import type { ReadableGraph } from './cache/dependencies.ts';
import type { Grounding, KnowledgeOptions } from './port.ts';
import { factOf, pathText, provePath, readPath, reasons } from './retrieve.ts';
import { wantedForm } from './understand/form.ts';
import { thesaurus } from './understand/thesaurus.ts';
import { understand } from './understand/understand.ts';
import type { Interpretation } from './understand/interpretation.ts';
import { listNames, makeDisplay, pathLine } from './words/compose.ts';
import type { ComposeLimits, Display, Span } from './words/compose.ts';
import type { Evidence, Language } from './words/evidence.ts';
import { clause } from './words/wording.ts';

export interface ReadingLimits {
  /** Answers given out at most. */
  readonly answers: number;
  /** Claims (with proofs) in one reply at most. */
  readonly claims: number;
  readonly compose: ComposeLimits;
}

/** Ends read from one path at most: where there are more, nobody is told how many. */
const MOST_ENDS = 10_000;

/** What the graph says to one question, before it is put into words. */
export interface Finding {
  readonly outcome: Grounding['outcome'];
  readonly evidence: Evidence;
  readonly answers: readonly Term[];
  /** Text and proof of each claim. */
  readonly claims: readonly { readonly text: string; readonly proof: Proof }[];
  readonly path: string;
}
/** All that a reply is made from beside the request: equal readings make equal replies. */
export interface Reading extends Finding {
  readonly language: Language;
  /** Entities that the question names. */
  readonly linked: readonly EntityId[];
  /** Where the question names them, and the names that the reply knows them by. */
  readonly spans: readonly Span[];
}

export async function read(graph: ReadableGraph, question: string, knowledge: KnowledgeOptions, limits: ReadingLimits, signal?: AbortSignal): Promise<Reading> {
  return new Reader(graph, knowledge, limits).read(question, signal);
}

class Reader {
  readonly #graph: ReadableGraph;
  readonly #knowledge: KnowledgeOptions;
  readonly #limits: ReadingLimits;
  constructor(graph: ReadableGraph, knowledge: KnowledgeOptions, limits: ReadingLimits) {
    this.#graph = graph;
    this.#knowledge = knowledge;
    this.#limits = limits;
  }

  async read(question: string, signal?: AbortSignal): Promise<Reading> {
    const { base, hops } = this.#knowledge;
    const { form, text } = wantedForm(question);
    const interpretation = await understand(this.#graph, text, { base, hops });
    const { language, links } = interpretation;
    const relations = await this.#graph.relations(base);
    const finding = await this.#find(interpretation, relations, signal);
    const display = await this.#display(language, relations, links.map(({ entity: { id } }) => id));
    const spans = links.map((link) => ({ start: link.start, end: link.end, name: listNames([entity(link.entity.id)], display, this.#limits.compose)[0] ?? link.text }));
    const { verdict } = finding.evidence;
    const evidence = form && (verdict === 'answer' || verdict === 'count') ? { ...finding.evidence, form } : finding.evidence;
    return { ...finding, evidence, language, linked: links.map(({ entity: { id } }) => id), spans };
  }

  async #display(language: Language, relations: readonly RelationSummary[], ids: readonly EntityId[]): Promise<Display> {
    const entities: readonly Entity[] = ids.length > 0 ? await this.#graph.entities(this.#knowledge.base, [...new Set(ids)]) : [];
    return makeDisplay(language, entities, relations);
  }

  async #find(interpretation: Interpretation, relations: readonly RelationSummary[], signal?: AbortSignal): Promise<Finding> {
    const { base, asOf, minConfidence } = this.#knowledge;
    const { language } = interpretation;
    const graph = this.#graph;
    const limits = this.#limits.compose;
    const best = interpretation.candidates[0];
    if (best?.target && interpretation.kind === 'verify') return this.#verify(best.target, language, relations, signal);
    if (!interpretation.confident || !best) {
      const linked = interpretation.links[0]?.entity;
      const display = await this.#display(language, relations, linked ? [linked.id] : []);
      const conclusion = linked ? { subjects: listNames([entity(linked.id)], display, limits), relations: [], objects: [] } : undefined;
      return { outcome: 'not_entailed', evidence: { verdict: 'unknown', conclusion, lines: [] }, answers: [], claims: [], path: '' };
    }
    const { results: reached, cut } = await readPath(graph, best.start, best.path, { base, asOf, minConfidence, limit: MOST_ENDS, signal });
    const results = interpretation.asked === undefined ? reached : await ofType(graph, base, reached, interpretation.asked);
    const ends = results.map(({ end }) => end);
    const ids = [best.start, ...ends.slice(0, limits.listed)].flatMap((term) => (term.kind === 'entity' ? [term.id] : []));
    const display = await this.#display(language, relations, ids);
    if (results.length === 0 || (interpretation.kind === 'count' && cut)) {
      const conclusion = { subjects: listNames([best.start], display, limits), relations: [], objects: [] };
      return { outcome: 'not_entailed', evidence: { verdict: 'unknown', conclusion, lines: [] }, answers: [], claims: [], path: pathText(best.path) };
    }
    const claims: { text: string; proof: Proof }[] = [];
    for (const result of results.slice(0, this.#limits.claims)) {
      const proof = await provePath(graph, base, best.start, best.path, result);
      if (proof) claims.push({ text: clause(pathLine(best.start, best.path, [result.end], display, limits), language, (name) => name), proof });
    }
    // Those beyond the names that are written out are counted in the sentence.
    const conclusion = pathLine(best.start, best.path, cut ? ends.slice(0, limits.listed) : ends, display, limits);
    const sought = best.path.length === 1 && best.path[0].inverse ? 'subjects' : 'objects';
    const evidence: Evidence = interpretation.kind === 'count' ? { verdict: 'count', count: ends.length, conclusion, lines: [], sought } : { verdict: 'answer', conclusion, lines: [], sought };
    return { outcome: 'entailed', evidence, answers: interpretation.kind === 'count' ? [{ kind: 'literal', type: 'number', value: ends.length }] : ends.slice(0, this.#limits.answers), claims, path: pathText(best.path) };
  }

  /** What holds of one triple, at the time and with the confidence asked for. */
  async #grounded(target: Triple, signal?: AbortSignal): Promise<{ readonly outcome: Outcome; readonly proof?: Proof }> {
    const { base, asOf, minConfidence = 0 } = this.#knowledge;
    if (asOf !== undefined) {
      const fact = await factOf(this.#graph, target, { base, asOf, minConfidence, signal });
      return fact ? { outcome: 'entailed', proof: { kind: 'fact', conclusion: target, confidence: fact.confidence, fact } } : { outcome: 'not_entailed' };
    }
    const { outcome, proof } = await this.#graph.ground(base, target);
    if (minConfidence > 0 && (proof === undefined || proof.confidence < minConfidence)) return { outcome: 'not_entailed' };
    return { outcome, ...(proof ? { proof } : {}) };
  }

  async #verify(target: Triple, language: Language, relations: readonly RelationSummary[], signal?: AbortSignal): Promise<Finding> {
    const limits = this.#limits.compose;
    const { outcome, proof } = await this.#grounded(target, signal);
    const told = proof ? reasons(proof, limits.reasons) : [];
    const ids = [target, ...told].flatMap((triple) => [triple.subject, ...(triple.object.kind === 'entity' ? [triple.object.id] : [])]);
    const display = await this.#display(language, relations, ids);
    const line = (triple: Triple): Evidence['lines'][number] => pathLine(entity(triple.subject), [{ relation: triple.relation, inverse: false }], [triple.object], display, limits);
    const conclusion = line(target);
    const same = (triple: Triple): boolean => triple.subject === target.subject && triple.relation === target.relation && termText(triple.object) === termText(target.object);
    const verdict = outcome === 'entailed' ? 'yes' : outcome === 'refuted' ? 'no' : 'unknown';
    const lines = told.filter((triple) => !same(triple) && !triple.negated).map(line);
    const claimText = clause(conclusion, language, (name) => name, outcome === 'refuted');
    return {
      outcome,
      evidence: { verdict, conclusion, lines: verdict === 'unknown' ? [] : lines },
      answers: outcome === 'not_entailed' ? [] : [{ kind: 'literal', type: 'boolean', value: outcome === 'entailed' }],
      claims: proof ? [{ text: claimText, proof }] : [],
      path: target.relation,
    };
  }
}

/** "Which country ...": the results whose entity is said to be one, if any is; all of them where types are not told. */
async function ofType(graph: ReadableGraph, base: BaseName, results: readonly PathResult[], asked: string): Promise<readonly PathResult[]> {
  const ids = results.flatMap(({ end }) => (end.kind === 'entity' ? [end.id] : []));
  if (ids.length === 0) return results;
  const bases = thesaurus().lemmas(asked);
  const fitting = new Set((await graph.entities(base, ids)).filter(({ types }) => types.some((type) => thesaurus().lemmas(type.toLowerCase()).some((base) => bases.includes(base)))).map(({ id }) => id));
  return fitting.size === 0 ? results : results.filter(({ end }) => end.kind === 'entity' && fitting.has(end.id));
}
