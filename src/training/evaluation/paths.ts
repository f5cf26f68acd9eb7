// Owns the task of choosing the relation path that a question means: questions with the paths to choose from, and how often the right one is chosen.
// Refuses to know which model it is.

import { plain, relationText } from '../../answers/words/evidence.ts';
import type { EvidenceLine } from '../../answers/words/evidence.ts';
import type { Engine, ModelInfo } from '../../engine/port.ts';
import { makeSample } from '../grounded/samples.ts';
import type { Sample } from '../grounded/samples.ts';
import type { Random } from '../random.ts';
import { replyOf, share, sideBySide } from './asking.ts';
import type { Group } from './groups.ts';

const CHOICES = 8;
const pathOf = ({ relations, inverse }: EvidenceLine): string =>
  relations.map((relation, i) => `${inverse?.[i] ? '^' : ''}${relationText(relation)}`).join(' / ');
/** Does the question speak of each relation in its own words? Some samples ask in others, on purpose. */
function speaksOf({ user, evidence: { conclusion } }: Sample): boolean {
  const question = plain(user).toLowerCase();
  return (
    conclusion !== undefined &&
    conclusion.relations.length > 0 &&
    conclusion.relations.every((relation) =>
      question.includes(
        relationText(relation)
          .toLowerCase()
          .replace(/^(?:has|in|is|was) /, ''),
      ),
    )
  );
}

export const PATHS_HEAD = ['set', 'right path chosen', 'by chance'];
export async function pathsRow(engine: Engine, { id }: ModelInfo, { title, options }: Group, random: Random, count: number, atOnce: number): Promise<string[]> {
  const next = (): Sample => {
    for (;;) {
      const sample = makeSample(random, options);
      if (sample.kind === 'answer' && speaksOf(sample)) return sample;
    }
  };
  const cases = Array.from({ length: count }, () => {
    const { user, evidence } = next();
    const right = pathOf(evidence.conclusion as EvidenceLine);
    const paths = new Set([right]);
    for (let tries = 0; paths.size < CHOICES && tries < 100; tries++) paths.add(pathOf(next().evidence.conclusion as EvidenceLine));
    const choices = [...paths]
      .map((path) => ({ path, at: random.next() }))
      .sort((a, b) => a.at - b.at)
      .map(({ path }) => path);
    return { question: plain(user), right, choices };
  });
  const right = await sideBySide(cases, atOnce, async ({ question, right: expected, choices }) => {
    const system = `Which relation path answers the question? "^" before a relation means that it is walked from object to subject. Write one of these, and nothing else:\n${choices.join('\n')}`;
    const maxTokens = 16 + (await engine.countTokens(id, choices.toSorted((a, b) => b.length - a.length)[0]));
    return (
      (await replyOf(engine, id, {
        messages: [
          { role: 'system', content: system },
          { role: 'user', content: question },
        ],
        maxTokens,
        constraint: { kind: 'choice', choices },
      })) === expected
    );
  });
  return [
    title,
    share(right.filter(Boolean).length, count),
    share(
      cases.reduce((sum, { choices }) => sum + 1 / choices.length, 0),
      count,
    ),
  ];
}
