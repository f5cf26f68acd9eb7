// Owns the reading of a question: what it means, what the graph says to it, and everything that the reply is worded from.
// Refuses to know the model, the cache, and how sentences are written.

import { entity, literal, sameTerm, termKey } from '../../graph/terms.ts';
import type { BaseName, Entity, EntityId, Path, Term, Triple } from '../../graph/terms.ts';
import type { PathResult, RelationSummary } from '../../graph/store.ts';
import type { Outcome, Proof } from '../../graph/reason/types.ts';
import type { ReadableGraph } from './cache/dependencies.ts';
import type { Grounding, KnowledgeOptions } from './port.ts';
import { factOf, pathText, provePath, readPath, reasons } from './retrieve.ts';
import { hasType } from './understand/classes.ts';
import { wholeQuestion } from './understand/follow-up.ts';
import type { Turn } from './understand/follow-up.ts';
import { wantedForm } from './understand/form.ts';
import { understand } from './understand/understand.ts';
import type { Interpretation } from './understand/interpretation.ts';
import { listNames, makeDisplay, pathLine } from './words/compose.ts';
import type { ComposeLimits, Display, Span } from './words/compose.ts';
import type { Evidence, EvidenceLine, Language } from './words/evidence.ts';
import { labelShapeZh } from './words/grammar.ts';
import { clause, labelShape } from './words/wording.ts';

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
  /** Where the question names what it asks about and the graph does not know. */
  readonly span?: Span;
}
/** All that a reply is made from beside the request: equal readings make equal replies. */
export interface Reading extends Finding {
  /** The question as it is meant where it stands in the conversation. */
  readonly question: string;
  readonly language: Language;
  /** Entities that the question names. */
  readonly linked: readonly EntityId[];
  /** Where the question names them, and the names that the reply knows them by. */
  readonly spans: readonly Span[];
}

/** `earlier`: the conversation before the question. */
export async function read(graph: ReadableGraph, question: string, knowledge: KnowledgeOptions, limits: ReadingLimits, signal?: AbortSignal, earlier: readonly Turn[] = []): Promise<Reading> {
  return new Reader(graph, knowledge, limits).read(question, earlier, signal);
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

  async read(asked: string, earlier: readonly Turn[], signal?: AbortSignal): Promise<Reading> {
    const { base, hops } = this.#knowledge;
    const { text: question, open } = await wholeQuestion(this.#graph, base, asked, earlier);
    const { form, text } = wantedForm(question);
    const understood = await understand(this.#graph, text, { base, hops });
    const interpretation = open ? { ...understood, confident: false, candidates: [] } : understood;
    const { language, links } = interpretation;
    const relations = await this.#graph.relations(base);
    const finding = await this.#find(interpretation, relations, signal);
    const display = await this.#display(language, relations, links.map(({ entity: { id } }) => id));
    const named = links.map((link) => ({ start: link.start, end: link.end, name: listNames([entity(link.entity.id)], display, this.#limits.compose)[0] ?? link.text }));
    const { span, ...found } = finding;
    const spans = span ? [span, ...named.filter(({ start, end }) => end <= span.start || span.end <= start)] : named;
    const { verdict } = finding.evidence;
    const { conclusion } = finding.evidence;
    // A table would give each of several subjects each of several dates.
    const shown = form === 'table' && conclusion && conclusion.subjects.length > 1 && conclusion.objects.length > 1 ? 'list' : form;
    const evidence = shown && (verdict === 'answer' || verdict === 'count') ? { ...finding.evidence, form: shown } : finding.evidence;
    return { ...found, question, evidence, language, linked: links.map(({ entity: { id } }) => id), spans };
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
    if (best?.targets && interpretation.kind === 'verify') return this.#verify(best.targets, language, relations, signal);
    if (!interpretation.confident || !best) return this.#refused(interpretation, relations);
    const options = { base, asOf, minConfidence, limit: MOST_ENDS, signal };
    const { reached, cut, from } = await readFrom(graph, [best.start, ...(best.others ?? [])], best.path, options);
    const { wanted } = interpretation;
    const members = wanted?.kind === 'class' ? await readPath(graph, entity(wanted.quality), [{ relation: wanted.relation, inverse: true }], options) : undefined;
    const memberOf = new Map(members?.results.map((member) => [termKey(member.end), member]));
    const typed = wanted?.kind === 'some' ? reached.filter(({ end }) => end.kind === 'entity' && wanted.ids.includes(end.id)) : wanted ? await ofType(graph, base, reached, wanted.names) : [];
    const results = members ? reached.filter((result) => memberOf.has(termKey(result.end)) || typed.includes(result)) : typed.length > 0 ? typed : reached;
    const ends = results.map(({ end }) => end);
    const quality = wanted?.kind === 'class' ? [entity(wanted.quality)] : [];
    const ids = [best.start, ...quality, ...ends.slice(0, limits.listed)].flatMap((term) => (term.kind === 'entity' ? [term.id] : []));
    const display = await this.#display(language, relations, ids);
    if (results.length === 0 || members?.cut || (interpretation.kind === 'count' && cut)) {
      // Of the dates in a time that the question names, none was named itself.
      const named = best.start.kind === 'literal' && best.start.type === 'date' ? [] : listNames([best.start], display, limits);
      const conclusion = named.length === 0 ? undefined : { subjects: named, relations: [], objects: [] };
      return { outcome: 'not_entailed', evidence: { verdict: 'unknown', conclusion, lines: [] }, answers: [], claims: [], path: pathText(best.path) };
    }
    const claims: { text: string; proof: Proof }[] = [];
    const claim = async (start: Term, path: Path, result: PathResult): Promise<void> => {
      const proof = await provePath(graph, base, start, path, result);
      if (proof) claims.push({ text: clause(pathLine(start, path, [result.end], display, limits), language, (name) => name), proof });
    };
    for (const result of results.slice(0, this.#limits.claims)) {
      await claim(from.get(result) ?? best.start, best.path, result);
      const member = memberOf.get(termKey(result.end));
      if (member && wanted?.kind === 'class') await claim(entity(wanted.quality), [{ relation: wanted.relation, inverse: true }], member);
    }
    // Those beyond the names that are written out are counted in the sentence.
    const told = cut ? ends.slice(0, limits.listed) : ends;
    const [first, ...more] = new Set(results.map((result) => from.get(result) ?? best.start));
    // Of several dates, each with those that it reaches.
    const conclusion = more.length === 0 ? pathLine(first, best.path, told, display, limits) : { ...pathLine(ends[0], best.path.map((step) => ({ ...step, inverse: !step.inverse })), [first, ...more], display, limits), subjects: listNames(told, display, limits) };
    const sought = best.path.length === 1 && best.path[0].inverse ? 'subjects' : 'objects';
    // "How many beds": a stored number says it, and is not one of several.
    const counted = interpretation.kind === 'count' && !ends.every((end) => end.kind === 'literal' && end.type === 'number');
    const evidence: Evidence = counted ? { verdict: 'count', count: ends.length, conclusion, lines: [], sought } : { verdict: 'answer', conclusion, lines: [], sought };
    return { outcome: 'entailed', evidence, answers: counted ? [{ kind: 'literal', type: 'number', value: ends.length }] : ends.slice(0, this.#limits.answers), claims, path: pathText(best.path) };
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

  /** Whether all of the triples hold. */
  async #verify(targets: readonly Triple[], language: Language, relations: readonly RelationSummary[], signal?: AbortSignal): Promise<Finding> {
    const limits = this.#limits.compose;
    const found: { readonly target: Triple; readonly outcome: Outcome; readonly proof?: Proof }[] = [];
    for (const target of targets) found.push({ target, ...(await this.#grounded(target, signal)) });
    const outcome = found.find((each) => each.outcome === 'refuted')?.outcome ?? found.find((each) => each.outcome === 'not_entailed')?.outcome ?? 'entailed';
    // One that is refuted refutes them all; one that is not known leaves them open.
    const proven = found.flatMap(({ target, proof, outcome: its }) => (proof && its === outcome ? [{ target, proof }] : []));
    const told = proven.flatMap(({ proof }) => reasons(proof, limits.reasons));
    const ids = [...targets, ...told].flatMap((triple) => [triple.subject, ...(triple.object.kind === 'entity' ? [triple.object.id] : [])]);
    const display = await this.#display(language, relations, ids);
    const line = (triple: Triple): EvidenceLine => pathLine(entity(triple.subject), [{ relation: triple.relation, inverse: false }], [triple.object], display, limits);
    const verdict = outcome === 'entailed' ? 'yes' : outcome === 'refuted' ? 'no' : 'unknown';
    const lines = told.filter((triple) => !targets.some((target) => sameTriple(triple, target)) && !triple.negated).map(line);
    return {
      outcome,
      evidence: { verdict, conclusion: allOf(targets.map(line), language), lines: verdict === 'unknown' ? [] : lines.slice(0, limits.reasons) },
      answers: outcome === 'not_entailed' ? [] : [{ kind: 'literal', type: 'boolean', value: outcome === 'entailed' }],
      claims: proven.map(({ target, proof }) => ({ text: clause(line(target), language, (name) => name, outcome === 'refuted'), proof })),
      path: targets.map(({ relation }) => relation).join(', '),
    };
  }

  /** The question is not understood, or asks more than the graph can tell. */
  async #refused({ language, links, stranger }: Interpretation, relations: readonly RelationSummary[]): Promise<Finding> {
    const limits = this.#limits.compose;
    const linked = links[0]?.entity;
    const display = await this.#display(language, relations, linked ? [linked.id] : []);
    const subjects = stranger?.name === undefined ? (linked ? listNames([entity(linked.id)], display, limits) : []) : listNames([literal(stranger.name)], display, limits);
    const conclusion = subjects.length > 0 ? { subjects, relations: [], objects: [] } : undefined;
    const span = stranger?.name && conclusion ? { start: stranger.start, end: stranger.end, name: subjects[0] } : undefined;
    return { outcome: 'not_entailed', evidence: { verdict: 'unknown', conclusion, lines: [] }, answers: [], claims: [], path: '', ...(span ? { span } : {}) };
  }
}

/** What the path reaches from any of these terms, each end once, and from which. */
async function readFrom(graph: ReadableGraph, starts: readonly Term[], path: Path, options: Parameters<typeof readPath>[3]): Promise<{ readonly reached: readonly PathResult[]; readonly cut: boolean; readonly from: ReadonlyMap<PathResult, Term> }> {
  const ends = new Map<string, PathResult>();
  const from = new Map<PathResult, Term>();
  let cut = false;
  for (const start of starts) {
    const read = await readPath(graph, start, path, options);
    cut ||= read.cut;
    for (const result of read.results) {
      if (ends.has(termKey(result.end))) continue;
      ends.set(termKey(result.end), result);
      from.set(result, start);
    }
  }
  return { reached: [...ends.values()], cut: cut || ends.size >= options.limit, from };
}
const sameTriple = (one: Triple, other: Triple): boolean => one.subject === other.subject && one.relation === other.relation && sameTerm(one.object, other.object);
/** "Odette is a white swan" for what is white and a swan; where the last of them is no class, that alone. */
function allOf(lines: readonly EvidenceLine[], language: Language): EvidenceLine {
  const last = lines[lines.length - 1];
  const isClass = language === 'zh' ? labelShapeZh(last.relations[0]).kind === 'class' : labelShape(last.relations[0]).kind === 'class';
  if (lines.length === 1 || !isClass) return last;
  const qualities = lines.map(({ objects }) => objects[0]);
  return { ...last, objects: [language === 'zh' ? qualities.map((quality, i) => (i < qualities.length - 1 && !quality.endsWith('的') ? `${quality}的` : quality)).join('') : qualities.join(' ')] };
}
/** "Which country ...": the results whose entity is said to be of a type called so. */
async function ofType(graph: ReadableGraph, base: BaseName, results: readonly PathResult[], names: readonly string[]): Promise<readonly PathResult[]> {
  const ids = results.flatMap(({ end }) => (end.kind === 'entity' ? [end.id] : []));
  if (ids.length === 0) return [];
  const fitting = new Set((await graph.entities(base, ids)).filter(({ types }) => hasType(types, names)).map(({ id }) => id));
  return results.filter(({ end }) => end.kind === 'entity' && fitting.has(end.id));
}
