// Owns the path from a question to a grounded reply: read the graph, compose, generate, verify, cache.
// Refuses to know how a question is read, HTTP, the store behind the graph, and how the model runs.

import { hash } from 'node:crypto';
import { KnowledgeError, RuleError } from '../../graph/knowledge.ts';
import type { KnowledgeGraph, Supposition } from '../../graph/knowledge.ts';
import type { Budget, Proof } from '../../graph/reason/types.ts';
import { DEFAULT_BASE } from '../../graph/terms.ts';
import type { BaseName } from '../../graph/terms.ts';
import { EngineError } from '../engine/port.ts';
import type { Engine, GenerateRequest, ModelInfo } from '../engine/port.ts';
import { abortable, AnswerCache } from './cache/cache.ts';
import type { Kept } from './cache/cache.ts';
import { dependsOnAll, Recorder, settle } from './cache/dependencies.ts';
import type { Dependencies } from './cache/dependencies.ts';
import type { Answerer, AnswerEvent, AnswerRequest, AnswerStatistics, Claim, Grounding, KnowledgeOptions, PathsAsked } from './port.ts';
import { read } from './reading.ts';
import type { Reading, ReadingLimits } from './reading.ts';
import { offerPaths } from './relation-paths/offer.ts';
import type { Written } from './relation-paths/offer.ts';
import { follow, pathGrammar } from './relation-paths/path-automaton.ts';
import type { PathAutomaton } from './relation-paths/path-automaton.ts';
import { tellPath } from './relation-paths/told.ts';
import type { Told } from './relation-paths/told.ts';
import { answerValues, pathText, proofFacts, proofSources } from './retrieve.ts';
import type { Turn } from './understand/follow-up.ts';
import { wordReading } from './worded.ts';
import type { Words } from './worded.ts';
import { composePathPrompt } from './words/compose.ts';
import type { ComposeLimits } from './words/compose.ts';

export interface AnswererOptions extends ReadingLimits {
  readonly knowledge: KnowledgeGraph;
  readonly engine: Engine;
  /** Bytes of the answer cache; 0 keeps nothing. */
  readonly cacheBytes: number;
  /** Characters of a question that is looked up in the graph. */
  readonly questionCharacters: number;
  /** Characters of the relation paths that one request gives the model to choose from. */
  readonly pathCharacters: number;
  /** For what follows with the rules of one question. */
  readonly suppose: Budget;
  /** Milliseconds for which a kept answer that is in doubt may be looked up again; when it takes longer, the answer is dropped and made anew. */
  readonly settleMs: number;
}
export const DEFAULT_COMPOSE: ComposeLimits = { listed: 12, nameCharacters: 160, listCharacters: 700, reasons: 3 };

const DEFAULT_SUPPOSE: Budget = { answers: 10_000, facts: 1_000_000, ms: 10_000, depth: 10_000 };
const SETTLE_MS = 2_000;

interface Asked {
  readonly question: string;
  /** The conversation before it. */
  readonly earlier: readonly Turn[];
}
interface Reply extends Omit<Words, 'wording'> {
  readonly grounding: Grounding;
  /** What was asked, and the digest of the reading that the text words. */
  readonly asked: Asked;
  readonly knowledge: KnowledgeOptions;
  readonly reading: string;
}

const canonical = (request: AnswerRequest): string =>
  JSON.stringify([
    request.model,
    request.messages.map(({ role, content, name, reasoning, toolCalls, toolCallId }) => [role, content, name, reasoning, toolCalls?.map((call) => [call.id, call.name, call.arguments]), toolCallId]),
    request.chat,
    request.sampling,
    request.maxTokens,
    request.stop,
    request.limits,
    request.knowledge,
  ]);
/** The model alone is to reply: it may call, its text must have a form, or it goes on with what was said. */
const ofModelAlone = ({ constraint, paths, chat }: AnswerRequest): boolean => constraint !== undefined || paths !== undefined || chat?.continues === true || (chat?.tools !== undefined && chat.tools.length > 0 && chat.toolChoice !== 'none');
const questionOf = ({ messages }: AnswerRequest): string => messages.findLast(({ role }) => role === 'user')?.content.trim() ?? '';
/** What was asked and said before the question, back to a message that is longer than a question may be. */
function turnsOf({ messages }: AnswerRequest, characters: number): readonly Turn[] {
  const turns: { asked: string; said: string }[] = [];
  for (const { role, content } of messages.slice(0, messages.findLastIndex(({ role }) => role === 'user'))) {
    const turn = turns.at(-1);
    if (content.length > characters) turns.length = 0;
    else if (role === 'user') turns.push({ asked: content.trim(), said: '' });
    else if (role === 'assistant' && turn) turn.said = `${turn.said} ${content}`.trim();
  }
  return turns;
}
const digestOf = (reading: Reading): string => hash('sha1', JSON.stringify(reading), 'base64');

export class GroundedAnswerer implements Answerer {
  readonly #options: AnswererOptions;
  readonly #cache: AnswerCache<Reply>;
  /** Worlds of requests whose question is being read: the choices of one request have the same options, and derive what follows once. */
  readonly #supposed = new WeakMap<KnowledgeOptions, Supposition>();
  readonly #unsubscribe: () => void;

  constructor(options: AnswererOptions) {
    this.#options = options;
    this.#cache = new AnswerCache<Reply>({ maxBytes: options.cacheBytes, settle: (kept, signal) => this.#settle(kept, signal) });
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
    const question = questionOf(request);
    if (request.paths) {
      await this.#assertWritten(request.paths.base);
      yield* this.#path(request, request.paths, signal);
      return;
    }
    const long = question.length > this.#options.questionCharacters;
    const alone = ofModelAlone(request);
    if (alone && !request.constraint && !request.paths && request.knowledge.mode === 'grounded') throw new EngineError('tools_invalid', 'tools, and a message that is gone on with, cannot be combined with an answer from the graph; leave one of them out');
    if (long && !alone && (request.knowledge.mode === 'grounded' || (request.knowledge.mode === 'auto' && model.grounded)))
      throw new EngineError('context_length_exceeded', `the question has ${question.length} characters; a question to the graph may have ${this.#options.questionCharacters}`);
    if (alone || request.knowledge.mode === 'off' || (!model.grounded && (question === '' || (long && request.knowledge.mode === 'auto')))) {
      yield* this.#plain(request, signal);
      return;
    }
    // A reply drawn at random without a seed is meant to differ each time.
    const repeatable = request.sampling.temperature === 0 || request.sampling.seed !== undefined;
    const key = canonical(request);
    const { base } = request.knowledge;
    // What the clock made true or false since is heard of here, so that no answer outlives its facts.
    await this.#options.knowledge.current(base);
    const entrance = repeatable ? await this.#cache.enter(base, key, signal) : { kind: 'miss' as const, computation: this.#cache.begin(base) };
    if (entrance.kind === 'hit') {
      yield* stream(entrance.value, true);
      return;
    }
    const { computation } = entrance;
    try {
      await this.#assertWritten(base);
      const asked = { question, earlier: turnsOf(request, this.#options.questionCharacters) };
      const { reading, dependencies } = await this.#read(asked, request.knowledge, signal);
      if (reading.linked.length === 0 && request.knowledge.mode === 'auto' && !model.grounded) {
        yield* this.#plain(request, signal);
        return;
      }
      const made = await this.#word(request, model, asked, reading, signal);
      if (repeatable && (made.reason === 'stop' || made.grounding.shortened)) this.#cache.put(computation, key, made, dependencies);
      // Whoever waits for the same answer does not wait for this client to read it.
      this.#cache.end(computation);
      yield* stream(made, false);
    } finally {
      this.#cache.end(computation);
    }
  }

  /**
   * A reply that a write may have changed stays when every read in doubt gives the same as before; and where one gives something else, when the whole question, read again, still
   * comes to the same: a new relation changes the list of relations, but few answers.
   */
  async #settle({ value, dependencies }: Kept<Reply>, caller?: AbortSignal): Promise<Dependencies | undefined> {
    const late = AbortSignal.timeout(this.#options.settleMs);
    const signal = caller ? AbortSignal.any([late, caller]) : late;
    const again = async (): Promise<Dependencies | undefined> => {
      const doubts = await settle(this.#options.knowledge, dependencies.base, dependencies.doubts, signal);
      if (doubts) return { ...dependencies, doubts };
      const now = await this.#read(value.asked, { ...value.knowledge }, signal);
      return digestOf(now.reading) === value.reading ? now.dependencies : undefined;
    };
    try {
      return await abortable(again(), signal);
    } catch (error) {
      // What cannot be read again in time, or at all, is made anew: that says what is wrong.
      caller?.throwIfAborted();
      if (late.aborted || error instanceof KnowledgeError || error instanceof RuleError) return undefined;
      throw error;
    }
  }
  /** Reads the question in the graph, or in the world that the graph would be with its rules and at its time. Throws RuleError for rules that are none. */
  async #read({ question, earlier }: Asked, knowledge: KnowledgeOptions, signal?: AbortSignal): Promise<{ readonly reading: Reading; readonly dependencies: Dependencies }> {
    const { base, rules, validAt } = knowledge;
    if (rules === undefined && validAt === undefined) {
      const recorder = new Recorder(this.#options.knowledge, base);
      const reading = await read(recorder, question, knowledge, this.#options, signal, earlier);
      return { reading, dependencies: recorder.dependencies() };
    }
    const budget = this.#options.suppose;
    const world = this.#supposed.get(knowledge) ?? this.#options.knowledge.suppose(base, rules, { budget, validAt, field: rules === undefined ? 'knowledge.valid_at' : 'knowledge.rules', signal });
    this.#supposed.set(knowledge, world);
    try {
      return { reading: await read(world, question, knowledge, this.#options, signal, earlier), dependencies: dependsOnAll(base) };
    } finally {
      this.#supposed.delete(knowledge);
    }
  }

  /** Another base than the default one is there once it was written. */
  async #assertWritten(base: BaseName): Promise<void> {
    const { knowledge } = this.#options;
    if (base === DEFAULT_BASE || (await knowledge.relations(base)).length > 0 || (await knowledge.ruleBook(base)).version > 0) return;
    throw new KnowledgeError('invalid_request', `there is no knowledge base ${JSON.stringify(base)}; GET /v1/knowledge-bases lists those that there are`, { field: 'knowledge.base' });
  }

  /** The model alone, as it comes. */
  async *#plain(request: AnswerRequest, signal?: AbortSignal): AsyncIterable<AnswerEvent> {
    const { model, messages, sampling, maxTokens, stop, constraint, limits } = request;
    const generation: GenerateRequest = { model, prompt: { ...request.chat, kind: 'chat', messages }, sampling, maxTokens, stop, ...(constraint ? { constraint } : {}), ...(limits ? { limits } : {}) };
    const grounding: Grounding = { outcome: 'ungrounded', answers: [], claims: [], confidence: 0, cached: false };
    for await (const event of this.#options.engine.generate(generation, signal)) yield event.kind === 'finish' ? { ...event, grounding } : event;
  }

  /** One of the paths that lead from the given entities, as the model chooses; what it says is read off the graph. */
  async *#path(request: AnswerRequest, asked: PathsAsked, signal?: AbortSignal): AsyncIterable<AnswerEvent> {
    const { knowledge, pathCharacters, answers, claims: most } = this.#options;
    const offer = await offerPaths(knowledge, asked, pathCharacters, signal);
    let text = '';
    const chosen = this.#options.engine.models().find(({ id }) => id === request.model)?.grounded && asked.form === 'relations' ? { ...request, messages: pathPrompt(offer.automaton, questionOf(request), asked.start) } : request;
    for await (const event of this.#plain({ ...chosen, constraint: { kind: 'grammar', grammar: pathGrammar(offer.automaton) } }, signal)) {
      if (event.kind === 'delta') text += event.text;
      if (event.kind !== 'finish' || !event.grounding) {
        yield event;
        continue;
      }
      const arcs = follow(offer.automaton, text.trim());
      const told = arcs && (await tellPath(knowledge, asked.base, offer.starts, arcs, { answers, claims: most }, signal));
      yield { ...event, grounding: { ...event.grounding, ...(told ? this.#toldOf(told, asked.base, offer.starts.map(({ id }) => id)) : {}), pathsComplete: offer.complete } };
    }
  }
  #toldOf({ path, answers, claims }: Told, base: BaseName, entities: readonly string[]): Partial<Grounding> {
    return {
      outcome: 'entailed',
      answers: answerValues(answers),
      claims: claims.map(({ text, proof }) => this.#claim(base, text, proof)),
      confidence: claims.length === 0 ? 0 : Math.min(...claims.map(({ proof }) => proof.confidence)),
      interpretation: { entities, path: pathText(path) },
    };
  }
  #claim(base: BaseName, text: string, proof: Proof): Claim {
    const facts = [...proofFacts(proof).values()];
    return { text, proofId: this.#options.knowledge.keepProof(base, proof), facts: facts.map(({ id }) => id), sources: proofSources(facts) };
  }

  /** The reply that words the reading, with its grounding. */
  async #word(request: AnswerRequest, model: ModelInfo, asked: Asked, reading: Reading, signal?: AbortSignal): Promise<Reply> {
    const { base } = request.knowledge;
    const { text, tokens, reason, stop, usage, wording, shortened } = await wordReading(this.#options.engine, request, model, reading, signal);
    const claims = reading.claims.map((claim) => this.#claim(base, claim.text, claim.proof));
    const confidence = reading.claims.length === 0 ? 0 : Math.min(...reading.claims.map(({ proof }) => proof.confidence));
    return {
      text,
      ...(tokens ? { tokens } : {}),
      reason,
      ...(stop === undefined ? {} : { stop }),
      usage,
      grounding: {
        outcome: reading.outcome,
        answers: answerValues(reading.answers),
        claims,
        confidence,
        cached: false,
        interpretation: { entities: reading.linked, path: reading.path },
        ...(shortened ? { shortened } : {}),
        wording,
      },
      asked,
      knowledge: request.knowledge,
      reading: digestOf(reading),
    };
  }
}

/** Of all relations told to a model that was trained to write paths; the nearest come first. */
const PATH_CHARACTERS = 1000;
/** The relations that a path may be made of, and the question, as a model that was trained for it reads them. */
function pathPrompt(automaton: PathAutomaton<Written>, question: string, names: readonly string[]): ReturnType<typeof composePathPrompt> {
  const relations = new Set(automaton.flatMap(({ arcs }) => arcs.flatMap(({ meaning: { step } }) => (step ? [step.relation] : []))));
  let room = PATH_CHARACTERS;
  return composePathPrompt([...relations].filter((relation) => (room -= relation.length + 4) >= 0), question, names);
}

/** A finished reply as events, a few words at a time. */
function* stream(made: Reply, cached: boolean): Iterable<AnswerEvent> {
  const pieces = made.text.match(/\s*[^\s]{1,24}/g) ?? [];
  for (const [i, text] of pieces.entries()) yield { kind: 'delta', text, ...(i === 0 ? { promptTokens: made.usage.promptTokens, ...(made.tokens ? { tokens: made.tokens } : {}) } : {}) };
  yield { kind: 'finish', reason: made.reason, usage: made.usage, ...(made.stop === undefined ? {} : { stop: made.stop }), grounding: { ...made.grounding, cached } };
}

export const createAnswerer = (options: Partial<AnswererOptions> & Pick<AnswererOptions, 'knowledge' | 'engine'>): GroundedAnswerer =>
  new GroundedAnswerer({ cacheBytes: 64 * 1024 * 1024, questionCharacters: 2000, pathCharacters: 100_000, suppose: DEFAULT_SUPPOSE, settleMs: SETTLE_MS, answers: 1000, claims: 100, compose: DEFAULT_COMPOSE, ...options });
