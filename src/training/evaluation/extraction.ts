// Owns the task of taking triples out of sentences: texts with the triples that they tell, what a model is sent, and precision, recall and F1.
// Refuses to know which model it is.

import { plain, relationText } from '../../answers/words/evidence.ts';
import type { EvidenceLine } from '../../answers/words/evidence.ts';
import { clause } from '../../answers/words/wording.ts';
import type { Engine, ModelInfo } from '../../engine/port.ts';
import { makeSample } from '../grounded/samples.ts';
import type { Random } from '../random.ts';
import { replyOf, share, sideBySide } from './asking.ts';
import type { Group } from './groups.ts';

type Told = readonly [subject: string, relation: string, object: string];
interface Case {
  readonly text: string;
  readonly triples: readonly Told[];
  readonly relations: readonly string[];
}
const PHRASINGS = {
  en: { known: ['{c}.', 'It is known that {c}.', '{c}, as the record says.'], heldOut: ['Sources agree that {c}.', 'In short: {c}.'] },
  zh: { known: ['{c}。', '据记载，{c}。', '众所周知，{c}。'], heldOut: ['资料显示，{c}。', '简而言之：{c}。'] },
} as const;

/** Facts of one step with one subject and one object, each told in a sentence. */
function makeCase(random: Random, { language, ...options }: Group['options']): Case {
  const lines: EvidenceLine[] = [];
  while (lines.length < random.int(1, 3)) {
    const { conclusion } = makeSample(random, { ...options, language }).evidence;
    if (conclusion?.relations.length === 1 && conclusion.objects.length > 0)
      lines.push({ subjects: conclusion.subjects.slice(0, 1), relations: conclusion.relations, objects: conclusion.objects.slice(0, 1) });
  }
  const phrasings = PHRASINGS[language][options.heldOutQuestions ? 'heldOut' : 'known'];
  const told = lines.map(({ subjects, relations, objects }): Told => [plain(subjects[0]), relationText(relations[0]), plain(objects[0])]);
  return {
    text: lines.map((line) => random.pick(phrasings).replace('{c}', () => clause(line, language, plain))).join(language === 'en' ? ' ' : ''),
    triples: told,
    relations: [...new Set(told.map(([, relation]) => relation))],
  };
}

const schemaOf = (relations: readonly string[]): object => ({
  type: 'array',
  maxItems: 12,
  items: {
    type: 'object',
    properties: { subject: { type: 'string' }, relation: { enum: relations }, object: { type: 'string' } },
    required: ['subject', 'relation', 'object'],
    additionalProperties: false,
  },
});
const key = (triple: Told): string => triple.map((part) => part.trim().toLowerCase()).join('\u0000');
function read(text: string): readonly Told[] {
  try {
    const parsed: unknown = JSON.parse(text);
    return Array.isArray(parsed)
      ? parsed.map(({ subject, relation, object }: Readonly<Record<string, unknown>>): Told => [String(subject), String(relation), String(object)])
      : [];
  } catch {
    return [];
  }
}

export const EXTRACTION_HEAD = ['set', 'precision', 'recall', 'F1', 'texts without a mistake'];
/** The figures of so many texts of a group. The relations are given, as a knowledge base gives them, and the form is a JSON Schema. */
export async function extractionRow(
  engine: Engine,
  { id }: ModelInfo,
  { title, options }: Group,
  random: Random,
  count: number,
  atOnce: number,
): Promise<string[]> {
  const cases = Array.from({ length: count }, () => makeCase(random, options));
  const scored = await sideBySide(cases, atOnce, async ({ text, triples, relations }) => {
    const system = `Write the facts of the text as a JSON array of objects with subject, relation and object. Names stand as they stand in the text. Relations: ${relations.join('; ')}.`;
    const maxTokens = 4 * (await engine.countTokens(id, text)) + 64;
    const found = new Set(
      read(
        await replyOf(engine, id, {
          messages: [
            { role: 'system', content: system },
            { role: 'user', content: text },
          ],
          maxTokens,
          constraint: { kind: 'schema', schema: schemaOf(relations) },
        }),
      ).map(key),
    );
    const wanted = new Set(triples.map(key));
    return { found: found.size, wanted: wanted.size, right: found.intersection(wanted).size };
  });
  const total = (part: 'found' | 'wanted' | 'right'): number => scored.reduce((sum, each) => sum + each[part], 0);
  const [found, wanted, right] = [total('found'), total('wanted'), total('right')];
  const f1 = found + wanted === 0 ? 0 : (2 * right) / (found + wanted);
  return [
    title,
    share(right, found),
    share(right, wanted),
    f1.toFixed(3),
    share(scored.filter((each) => each.right === each.wanted && each.found === each.wanted).length, count),
  ];
}
