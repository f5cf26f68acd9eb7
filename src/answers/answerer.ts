// Owns the path from a question to a grounded reply: understand, read the graph, compose, generate, verify, cache.
// Refuses to know HTTP, the store behind the graph, and how the model runs.

import { entity, termText } from '../../graph/terms.ts';
import type { BaseName, Entity, EntityId, Fact, Term, Triple } from '../../graph/terms.ts';
import type { PathResult, RelationSummary } from '../../graph/store.ts';
import { inForce } from '../../graph/knowledge/validity.ts';
import type { KnowledgeGraph } from '../../graph/knowledge.ts';
import type { Proof } from '../../graph/reason/types.ts';
import { EngineError } from '../engine/port.ts';
import type { Engine, GenerateRequest, ModelInfo, Usage } from '../engine/port.ts';
import { AnswerCache } from './cache/cache.ts';
import { allowedWords, composePrompt, listNames, makeDisplay, namesInOrder, pathLine, verifyReply } from './words/compose.ts';
import type { ComposeLimits, Display } from './words/compose.ts';
import { Recorder, settle } from './cache/dependencies.ts';
import { evidenceNames } from './words/evidence.ts';
import type { Evidence, Language } from './words/evidence.ts';
import type { Answerer, AnswerEvent, AnswerRequest, AnswerStatistics, Claim, Grounding } from './port.ts';
import { answerValues, pathText, proofFacts, proofSources, provePath, readPath, reasons } from './retrieve.ts';
import type { AnswerGraph } from './retrieve.ts';
import { thesaurus } from './understand/thesaurus.ts';
import { understand } from './understand/understand.ts';
import type { Interpretation } from './understand/understand.ts';
import { clause, reply } from './words/wording.ts';

export interface AnswererOptions {
  readonly knowledge: KnowledgeGraph;
  readonly engine: Engine;
  /** Bytes of the answer cache; 0 keeps nothing. */
  readonly cacheBytes: number;
  /** Characters of a question that is looked up in the graph. */
  readonly questionCharacters: number;
  /** Ends read from one path at most. */
  readonly answers: number;
  /** Claims (with proofs) in one reply at most. */
  readonly claims: number;
  readonly compose: ComposeLimits;
}
export const DEFAULT_COMPOSE: ComposeLimits = { listed: 12, nameCharacters: 160, listCharacters: 700, reasons: 3 };

/** Tokens of a reply at most, by those of the plain sentence. */
const AMPLE = 2;
const AMPLE_MORE = 32;

interface Reply {
  readonly text: string;
  readonly reason: 'stop' | 'length';
  readonly usage: Usage;
  readonly grounding?: Grounding;
}

/** What the graph says to one question, before it is put into words. */
interface Finding {
  readonly outcome: Grounding['outcome'];
  readonly evidence: Evidence;
  readonly answers: readonly Term[];
  /** Proof and subject of each claim. */
  readonly claims: readonly { readonly text: string; readonly proof: Proof }[];
  readonly path: string;
}

const canonical = (request: AnswerRequest): string =>
  JSON.stringify([request.model, request.messages.map(({ role, content }) => [role, content]), request.sampling, request.maxTokens, request.stop, request.knowledge]);

export class GroundedAnswerer implements Answerer {
  readonly #options: AnswererOptions;
  readonly #cache: AnswerCache<Reply>;
  readonly #unsubscribe: () => void;

  constructor(options: AnswererOptions) {
    this.#options = options;
    this.#cache = new AnswerCache<Reply>({ maxBytes: options.cacheBytes, settle: (base, doubts) => settle(options.knowledge, base, doubts) });
    this.#unsubscribe = options.knowledge.subscribe((event) => this.#cache.invalidate(event));
  }

  close(): void {
    this.#unsubscribe();
  }
  statistics(): AnswerStatistics {
    return this.#cache.statistics();
  }

  async *answer(request: AnswerRequest, signal?: AbortSignal): AsyncIterable<AnswerEvent> {
    const model = this.#options.engine.models().find(({ id }) => id === request.model);
    if (!model) throw new EngineError('unknown_model', `model ${JSON.stringify(request.model)} is not loaded; use one of: ${this.#options.engine.models().map(({ id }) => id).join(', ')}`);
    const question = request.messages.findLast(({ role }) => role === 'user')?.content.trim() ?? '';
    const long = question.length > this.#options.questionCharacters;
    if (long && (request.knowledge.mode === 'grounded' || (request.knowledge.mode === 'auto' && model.grounded)))
      throw new EngineError('context_length_exceeded', `the question has ${question.length} characters; a question to the graph may have ${this.#options.questionCharacters}`);
    if (request.knowledge.mode === 'off' || (!model.grounded && (question === '' || (long && request.knowledge.mode === 'auto')))) {
      yield* this.#plain(request, signal);
      return;
    }
    // A reply drawn at random without a seed is meant to differ each time.
    const repeatable = request.sampling.temperature === 0 || request.sampling.seed !== undefined;
    const key = canonical(request);
    const { base, hops } = request.knowledge;
    // What the clock made true or false since is heard of here, so that no answer outlives its facts.
    await this.#options.knowledge.current(base);
    const entrance = repeatable ? await this.#cache.enter(base, key, signal) : { kind: 'miss' as const, computation: this.#cache.begin(base) };
    if (entrance.kind === 'hit') {
      yield* stream(entrance.value, true);
      return;
    }
    const { computation } = entrance;
    const recorder = new Recorder(this.#options.knowledge, base);
    try {
      const interpretation = await understand(recorder, question, { base, hops });
      if (interpretation.links.length === 0 && request.knowledge.mode === 'auto' && !model.grounded) {
        yield* this.#plain(request, signal);
        return;
      }
      const made = await this.#ground(recorder, request, model, question, interpretation, signal);
      if (repeatable && made.reason === 'stop') this.#cache.put(computation, key, made, recorder.dependencies());
      yield* stream(made, false);
    } finally {
      this.#cache.end(computation);
    }
  }

  /** The model alone, as it comes. */
  async *#plain(request: AnswerRequest, signal?: AbortSignal): AsyncIterable<AnswerEvent> {
    const generation: GenerateRequest = { model: request.model, prompt: { kind: 'chat', messages: request.messages }, sampling: request.sampling, maxTokens: request.maxTokens, stop: request.stop };
    const grounding: Grounding = { outcome: 'ungrounded', answers: [], claims: [], confidence: 0, cached: false };
    for await (const event of this.#options.engine.generate(generation, signal)) yield event.kind === 'finish' ? { ...event, grounding } : event;
  }

  async #ground(recorder: Recorder, request: AnswerRequest, model: ModelInfo, question: string, interpretation: Interpretation, signal?: AbortSignal): Promise<Reply> {
    const { base } = request.knowledge;
    const language: Language = interpretation.language;
    const relations = await recorder.relations(base);
    const finding = await this.#find(recorder, request, interpretation, language, relations, signal);
    const display = await this.#display(recorder, base, language, relations, interpretation.links.map(({ entity: linked }) => linked.id));
    const spans = interpretation.links.map((link) => ({ start: link.start, end: link.end, name: listNames([entity(link.entity.id)], display, this.#options.compose)[0] ?? link.text }));
    const { evidence } = finding;
    const names = evidenceNames(evidence);
    const expected = reply(evidence, language);
    // What runs on far beyond the plain sentence is wrong, whatever comes.
    const ample = Math.ceil(AMPLE * (await this.#options.engine.countTokens(request.model, expected))) + AMPLE_MORE;
    const generation: GenerateRequest = {
      model: request.model,
      prompt: { kind: 'chat', messages: composePrompt(evidence, question, spans.filter(({ name }) => names.includes(name)), language, model.grounded) },
      sampling: request.sampling,
      maxTokens: Math.min(request.maxTokens, ample),
      stop: request.stop,
      ...(model.grounded ? { constraint: { kind: 'names' as const, names, words: allowedWords(evidence, language, model.grounded), order: namesInOrder(evidence, language) } } : {}),
    };
    let text = '';
    let reason: Reply['reason'] = 'stop';
    let usage: Usage = { promptTokens: 0, completionTokens: 0 };
    for await (const event of this.#options.engine.generate(generation, signal)) {
      if (event.kind === 'delta') text += event.text;
      else if (event.kind === 'error') throw event.error;
      else [reason, usage] = [event.reason, event.usage];
    }
    const ranOn = reason === 'length' && ample < request.maxTokens;
    // A reply that the client's own limits cut short cannot be complete; its words are still the model's.
    const cut = (reason === 'length' && !ranOn) || request.stop.length > 0;
    const wrong = ranOn ? 'the reply does not end' : cut ? undefined : verifyReply(text, evidence, language, model.grounded !== undefined);
    if (wrong !== undefined) [text, reason] = [expected, 'stop'];
    const claims: Claim[] = [];
    for (const { text: claimText, proof } of finding.claims) {
      const facts = [...proofFacts(proof).values()];
      claims.push({ text: claimText, proofId: this.#options.knowledge.keepProof(base, proof), facts: facts.map(({ id }) => id), sources: proofSources(facts) });
    }
    const confidence = finding.claims.length === 0 ? 0 : Math.min(...finding.claims.map(({ proof }) => proof.confidence));
    return {
      text: text.trim(),
      reason,
      usage,
      grounding: {
        outcome: finding.outcome,
        answers: answerValues(finding.answers),
        claims,
        confidence,
        cached: false,
        interpretation: { entities: interpretation.links.map(({ entity: linked }) => linked.id), path: finding.path },
        wording: wrong === undefined ? 'model' : 'plain',
      },
    };
  }

  async #display(recorder: Recorder, base: BaseName, language: Language, relations: readonly RelationSummary[], ids: readonly EntityId[]): Promise<Display> {
    const entities: readonly Entity[] = ids.length > 0 ? await recorder.entities(base, [...new Set(ids)]) : [];
    return makeDisplay(language, entities, relations);
  }

  async #find(recorder: Recorder, request: AnswerRequest, interpretation: Interpretation, language: Language, relations: readonly RelationSummary[], signal?: AbortSignal): Promise<Finding> {
    const { base, asOf, minConfidence } = request.knowledge;
    const graph: AnswerGraph = recorder;
    const limits = this.#options.compose;
    const best = interpretation.candidates[0];
    if (best?.target && interpretation.kind === 'verify') return this.#verify(recorder, request, best.target, language, relations);
    if (!interpretation.confident || !best) {
      const linked = interpretation.links[0]?.entity;
      const display = await this.#display(recorder, base, language, relations, linked ? [linked.id] : []);
      const conclusion = linked ? { subjects: listNames([entity(linked.id)], display, limits), relations: [], objects: [] } : undefined;
      return { outcome: 'not_entailed', evidence: { verdict: 'unknown', conclusion, lines: [] }, answers: [], claims: [], path: '' };
    }
    const reached = await readPath(graph, best.start, best.path, { base, asOf, minConfidence, limit: this.#options.answers, signal });
    const results = interpretation.asked === undefined ? reached : await ofType(recorder, base, reached, interpretation.asked);
    const ends = results.map(({ end }) => end);
    const ids = [best.start, ...ends.slice(0, limits.listed)].flatMap((term) => (term.kind === 'entity' ? [term.id] : []));
    const display = await this.#display(recorder, base, language, relations, ids);
    if (results.length === 0) {
      const conclusion = { subjects: listNames([best.start], display, limits), relations: [], objects: [] };
      return { outcome: 'not_entailed', evidence: { verdict: 'unknown', conclusion, lines: [] }, answers: [], claims: [], path: pathText(best.path) };
    }
    const claims: { text: string; proof: Proof }[] = [];
    for (const result of results.slice(0, this.#options.claims)) {
      const proof = await provePath(graph, base, best.start, best.path, result);
      if (proof) claims.push({ text: clause(pathLine(best.start, best.path, [result.end], display, limits), language, (name) => name), proof });
    }
    const conclusion = pathLine(best.start, best.path, ends, display, limits);
    const evidence: Evidence = interpretation.kind === 'count' ? { verdict: 'count', count: ends.length, conclusion, lines: [] } : { verdict: 'answer', conclusion, lines: [] };
    return { outcome: 'entailed', evidence, answers: interpretation.kind === 'count' ? [{ kind: 'literal', type: 'number', value: ends.length }] : ends, claims, path: pathText(best.path) };
  }

  async #verify(recorder: Recorder, request: AnswerRequest, target: Triple, language: Language, relations: readonly RelationSummary[]): Promise<Finding> {
    const { base, asOf, minConfidence } = request.knowledge;
    const limits = this.#options.compose;
    let { outcome, proof } = await recorder.ground(base, target);
    if (asOf !== undefined || minConfidence !== undefined) {
      const page = await recorder.match(base, { subject: target.subject, relation: target.relation, object: target.object }, { limit: 100, asOf, minConfidence });
      const fact: Fact | undefined = page.items.find((item) => asOf !== undefined || inForce(item, Date.now()));
      const proven = proof !== undefined && outcome === 'entailed' && asOf === undefined && proof.confidence >= (minConfidence ?? 0);
      if (fact) [outcome, proof] = ['entailed', { kind: 'fact', conclusion: target, confidence: fact.confidence, fact }];
      else if (!proven) [outcome, proof] = ['not_entailed', undefined];
    }
    const told = proof ? reasons(proof, limits.reasons) : [];
    const ids = [target, ...told].flatMap((triple) => [triple.subject, ...(triple.object.kind === 'entity' ? [triple.object.id] : [])]);
    const display = await this.#display(recorder, base, language, relations, ids);
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
async function ofType(recorder: Recorder, base: BaseName, results: readonly PathResult[], asked: string): Promise<readonly PathResult[]> {
  const ids = results.flatMap(({ end }) => (end.kind === 'entity' ? [end.id] : []));
  if (ids.length === 0) return results;
  const bases = thesaurus().lemmas(asked);
  const fitting = new Set((await recorder.entities(base, ids)).filter(({ types }) => types.some((type) => thesaurus().lemmas(type.toLowerCase()).some((base) => bases.includes(base)))).map(({ id }) => id));
  return fitting.size === 0 ? results : results.filter(({ end }) => end.kind === 'entity' && fitting.has(end.id));
}

/** A finished reply as events, a few words at a time. */
function* stream(made: Reply, cached: boolean): Iterable<AnswerEvent> {
  const pieces = made.text.match(/\s*[^\s]{1,24}/g) ?? [];
  for (const text of pieces) yield { kind: 'delta', text };
  yield { kind: 'finish', reason: made.reason, usage: made.usage, ...(made.grounding ? { grounding: { ...made.grounding, cached } } : {}) };
}

export const createAnswerer = (options: Partial<AnswererOptions> & Pick<AnswererOptions, 'knowledge' | 'engine'>): GroundedAnswerer =>
  new GroundedAnswerer({ cacheBytes: 64 * 1024 * 1024, questionCharacters: 2000, answers: 1000, claims: 100, compose: DEFAULT_COMPOSE, ...options });
