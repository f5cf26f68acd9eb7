// Owns the task of wording evidence: what a model is sent, and what is counted of its replies.
// Refuses to know how samples are made and which model it is.

import { allowedWords, composePrompt, messagesOf, namesInOrder, verifyReply } from '../../answers/words/compose.ts';
import { evidenceNames, plain } from '../../answers/words/evidence.ts';
import type { Evidence, Language } from '../../answers/words/evidence.ts';
import type { Engine, ModelInfo } from '../../engine/port.ts';
import { judge, sum } from '../grounded/judge.ts';
import type { Judgement } from '../grounded/judge.ts';
import { makeSample } from '../grounded/samples.ts';
import type { Sample } from '../grounded/samples.ts';
import type { Random } from '../random.ts';
import { replyOf, share, sideBySide } from './asking.ts';
import type { Asked } from './asking.ts';
import { relationSaid, stray } from './faithful.ts';
import type { Group } from './groups.ts';

export interface Judged {
  readonly sample: Sample;
  readonly text: string;
  readonly judgement: Judgement;
  /** A word of the reply that must be a name and is none of the evidence's. */
  readonly stray: string | undefined;
  /** It says its relations, and the verdict where there is one, with every name. */
  readonly right: boolean;
}
const loose = ({ kind }: Sample): boolean => kind === 'find' || kind === 'refuse';

/** As much as the longest of the facts, or that nothing is known, has around a name. */
const looseStretch = (evidence: Evidence, language: Language): number => Math.max(...[...evidence.lines.map((conclusion) => ({ conclusion, lines: [] })), { verdict: 'unknown' as const, conclusion: { subjects: ['-'], relations: [], objects: [] }, lines: [] }].flatMap((stated) => namesInOrder(stated, language).stretches));

async function asked(engine: Engine, { id, grounded }: ModelInfo, sample: Sample, constrained: boolean): Promise<Asked> {
  const { evidence, language } = sample;
  // As the service does: what runs on far beyond the faithful reply is wrong.
  const maxTokens = Math.ceil(2 * (await engine.countTokens(id, plain(sample.assistant)))) + 32;
  if (!grounded) return { messages: composePrompt(evidence, plain(sample.question), [], language), maxTokens };
  const messages = messagesOf(sample);
  if (!constrained) return { messages, maxTokens };
  return {
    messages,
    maxTokens,
    // Which names a reply to loose facts holds is the model's to find out: the facts' or the one that the question is about.
    constraint: { kind: 'names', names: [...new Set([...evidenceNames(evidence), ...(sample.about === undefined ? [] : [plain(sample.about)])])], words: allowedWords(evidence, language, grounded), ...(loose(sample) ? { stretches: [looseStretch(evidence, language)] } : namesInOrder(evidence, language)) },
  };
}

/** Replies to so many samples of a group, judged. `constrained`: under the names constraint, where the model was trained for it. */
export async function wordAll(
  engine: Engine,
  model: ModelInfo,
  { options }: Group,
  random: Random,
  count: number,
  constrained: boolean,
  atOnce: number,
): Promise<readonly Judged[]> {
  const samples = Array.from({ length: count }, () => makeSample(random, options));
  return sideBySide(samples, atOnce, async (sample) => {
    const text = await replyOf(engine, model.id, await asked(engine, model, sample, constrained));
    const judgement = judge(sample, text);
    const strange = stray(text, sample, model.grounded);
    const complete = judgement.copied === judgement.names && judgement.refused === judgement.unanswerable;
    const verdict = loose(sample) || verifyReply(text, sample.evidence, sample.language) === undefined;
    return { sample, text, judgement, stray: strange, right: judgement.exact || (complete && verdict && strange === undefined && relationSaid(text, sample)) };
  });
}

export const WORDING_HEAD = [
  'set',
  'faithful',
  'right',
  'whole reply exact',
  'the same, verdict given',
  'the same, facts to search',
  'names copied',
  'sentence right',
  'unknown said',
  'false refusals',
  "passes the service's check",
];
export function wordingRow(title: string, judged: readonly Judged[]): string[] {
  const of = (keep: (sample: Sample) => boolean): ReturnType<typeof sum> => sum(judged.filter(({ sample }) => keep(sample)).map(({ judgement }) => judgement));
  const [all, given, search] = [of(() => true), of((sample) => !loose(sample)), of(loose)];
  const count = (test: (one: Judged) => boolean): number => judged.filter(test).length;
  const passed = count(({ sample, text }) => !loose(sample) && verifyReply(text, sample.evidence, sample.language, { strict: true }) === undefined);
  return [
    title,
    share(
      count((one) => one.stray === undefined),
      judged.length,
    ),
    share(
      count(({ right }) => right),
      judged.length,
    ),
    share(all.exact, all.replies),
    share(given.exact, given.replies),
    share(search.exact, search.replies),
    share(all.copied, all.names),
    share(all.sentence, all.replies),
    share(all.refused, all.unanswerable),
    share(all.falselyRefused, all.replies - all.unanswerable),
    share(passed, given.replies),
  ];
}
