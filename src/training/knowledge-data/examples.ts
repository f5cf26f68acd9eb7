// Owns examples for training out of a knowledge base: questions over its own relations and paths, read as the service reads them, with the prompt that the service writes and the sentence that the evidence stands for.
// Refuses to know files, jobs and how a model is trained.

import { setImmediate } from 'node:timers/promises';
import { DEFAULT_COMPOSE } from '../../answers/answerer.ts';
import type { ReadableGraph } from '../../answers/cache/dependencies.ts';
import { read } from '../../answers/reading.ts';
import type { Reading } from '../../answers/reading.ts';
import { composePrompt } from '../../answers/words/compose.ts';
import { evidenceNames, mark } from '../../answers/words/evidence.ts';
import type { Language } from '../../answers/words/evidence.ts';
import { reply } from '../../answers/words/wording.ts';
import type { GroundedFormat } from '../../engine/port.ts';
import { literal } from '../../../graph/terms.ts';
import type { BaseName } from '../../../graph/terms.ts';
import { Random } from '../random.ts';
import { isHeldOut, readPool } from './pool.ts';
import { Drafter } from './questions.ts';
import type { Draft } from './questions.ts';

export interface KnowledgeDataOptions {
  readonly base: BaseName;
  /** Examples wanted; a small base has fewer questions. */
  readonly examples: number;
  readonly languages: readonly Language[];
  readonly seed: number;
  /** Whether the prompt holds what the graph found; without, the question stands alone. */
  readonly evidence: boolean;
  /** Of the model that is to learn them; a model without it gets the facts as sentences. */
  readonly format: GroundedFormat | undefined;
  /** Share of things, about, whose questions are kept for validation; without evidence, of questions: what was never said cannot be known. */
  readonly heldOut?: number;
  readonly signal: AbortSignal;
}
export interface KnowledgeExample {
  /** A line of chat JSONL (src/training/data/example.ts). */
  readonly messages: readonly { readonly role: 'system' | 'user' | 'assistant'; readonly content: string; readonly trusted?: boolean }[];
  /** As it was asked; in the prompt names may stand otherwise. */
  readonly question: string;
  readonly kind: 'answer' | 'count' | 'yes' | 'no' | 'unknown';
  readonly language: Language;
  /** For validation: the question names something that no example for training asks about, or, without evidence, is asked in none of them. */
  readonly held_out: boolean;
}

const HELD_OUT = 0.15;
const HOPS = 2;
/** Questions drawn for one that is kept; a base that has no more new ones than that is exhausted. */
const DRAWS = 40;
/** Ends of one path. */
const ENDS = 1_000;

/**
 * Examples in an order that the seed decides. A question is kept when the service reads it as it was meant: with the answers that the path leads to, or with the verdict about the triple that was meant.
 * Equal bases and options give equal examples.
 */
export async function* knowledgeExamples(graph: ReadableGraph, options: KnowledgeDataOptions): AsyncGenerator<KnowledgeExample> {
  const { base, examples, languages, seed, evidence, format, heldOut = HELD_OUT, signal } = options;
  const pool = await readPool(graph, base, signal);
  if (pool.relations.length === 0) return;
  const drafter = new Drafter(pool, new Random(seed), languages);
  const seen = new Set<string>();
  let [kept, missed] = [0, 0];
  while (kept < examples && missed < DRAWS * (kept + DRAWS)) {
    const draft = drafter.draw();
    missed++;
    if (!draft || seen.has(draft.core)) continue;
    seen.add(draft.core);
    signal.throwIfAborted();
    const reading = await read(graph, draft.question, { base, mode: 'grounded', hops: HOPS }, { answers: ENDS, claims: 0, compose: DEFAULT_COMPOSE }, signal);
    // A store in this process never waits: others get their turn here.
    await setImmediate();
    if (reading.language !== draft.language || !(await isMeant(graph, base, draft, reading))) continue;
    if (!evidence && reading.evidence.verdict === 'unknown') continue;
    missed = 0;
    kept++;
    yield {
      messages: evidence ? messagesOf(draft.question, reading, format) : byHeart(draft.question, reading),
      question: draft.question,
      kind: reading.evidence.verdict ?? 'answer',
      language: draft.language,
      held_out: (evidence ? draft.named : [literal(draft.core)]).some((term) => isHeldOut(term, seed, heldOut)),
    };
  }
}

async function isMeant(graph: ReadableGraph, base: BaseName, { intent }: Draft, { evidence, answers, path }: Reading): Promise<boolean> {
  const { verdict } = evidence;
  switch (intent.kind) {
    case 'answer':
    case 'count': {
      const ends = new Set((await graph.follow(base, intent.start, intent.path, { limit: ENDS })).map(({ end }) => JSON.stringify(end)));
      if (verdict !== intent.kind || ends.size === 0) return false;
      return intent.kind === 'count' ? evidence.count === ends.size : answers.length === ends.size && answers.every((end) => ends.has(JSON.stringify(end)));
    }
    case 'check':
      return (verdict === 'yes' || verdict === 'no' || verdict === 'unknown') && path === intent.target.relation;
    case 'unknown':
      return verdict === 'unknown' && evidence.conclusion?.objects.length === 0;
    default:
      return intent satisfies never;
  }
}

const byHeart = (question: string, { evidence, language }: Reading): KnowledgeExample['messages'] => [
  { role: 'user', content: question },
  { role: 'assistant', content: reply(evidence, language) },
];
/** As the answerer asks the model (src/answers/answerer.ts), and the reply that it would have the model give. */
function messagesOf(question: string, { evidence, language, spans }: Reading, format: GroundedFormat | undefined): KnowledgeExample['messages'] {
  const names = evidenceNames(evidence);
  const prompt = composePrompt(
    evidence,
    question,
    spans.filter(({ name }) => names.includes(name)),
    language,
    format,
  );
  const trusted = format ? { trusted: true } : {};
  return [
    ...prompt.map(({ role, content }) => ({ role: role === 'system' ? ('system' as const) : ('user' as const), content, ...trusted })),
    { role: 'assistant', content: reply(evidence, language, format ? mark : undefined), ...trusted },
  ];
}
