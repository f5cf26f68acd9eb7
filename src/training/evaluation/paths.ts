// Owns the task of writing the relation path that a question means, as it comes or chosen among paths that exist, and how often it is the right one.
// Refuses to know how the questions are made and which model it is.

import { messagesOf } from '../../answers/words/compose.ts';
import type { Engine, ModelInfo } from '../../engine/port.ts';
import { makePath } from '../grounded/paths.ts';
import type { PathSample } from '../grounded/paths.ts';
import type { Random } from '../random.ts';
import { replyOf, share, sideBySide } from './asking.ts';
import type { Asked } from './asking.ts';
import type { Group } from './groups.ts';

const CHOICES = 8;
/** Other paths over the relations of a sample: turned round, cut short, made longer, over others. */
function choicesOf(random: Random, { path, relations }: PathSample): readonly string[] {
  const paths = new Set([path]);
  const steps = path.split('/');
  const step = (): string => (random.chance(0.5) ? '^' : '') + random.pick(relations);
  const turned = (text: string): string => (text.startsWith('^') ? text.slice(1) : `^${text}`);
  for (let tries = 0; paths.size < CHOICES && tries < 100; tries++) {
    const at = random.int(0, steps.length - 1);
    const other = random.pick([() => steps.with(at, turned(steps[at])), () => steps.with(at, step()), () => [...steps, step()], () => steps.slice(0, -1), () => [step()], () => steps.toReversed()])();
    if (other.length > 0 && other.length <= 3) paths.add(other.join('/'));
  }
  return random.shuffle([...paths]);
}

/** A model that was trained for it is asked in its own format. */
function asked({ grounded }: ModelInfo, sample: PathSample, choices: readonly string[], maxTokens: number, constrained: boolean): Asked {
  const constraint = constrained ? { constraint: { kind: 'choice' as const, choices } } : {};
  if (grounded)
    return {
      messages: messagesOf(sample),
      maxTokens,
      ...constraint,
    };
  const instruction = `Which relation path answers the question? "^" before a relation means that it is walked from object to subject; "/" stands between steps. Write one of these, and nothing else:\n${choices.join('\n')}`;
  return {
    messages: [
      { role: 'system', content: instruction },
      { role: 'user', content: sample.question },
    ],
    maxTokens,
    ...constraint,
  };
}

export const PATHS_HEAD = ['set', 'right path', 'the same, one step', 'the same, more steps', 'by chance'];
/** The figures of so many questions of a group. Under the constraint one of eight paths over the same relations can be written. */
export async function pathsRow(
  engine: Engine,
  info: ModelInfo,
  { title, options }: Group,
  random: Random,
  count: number,
  atOnce: number,
  constrained: boolean,
): Promise<string[]> {
  const cases = Array.from({ length: count }, () => {
    const sample = makePath(random, options);
    return { sample, choices: choicesOf(random, sample) };
  });
  const right = await sideBySide(cases, atOnce, async ({ sample, choices }) => {
    const maxTokens = 16 + (await engine.countTokens(info.id, choices.toSorted((a, b) => b.length - a.length)[0]));
    return (await replyOf(engine, info.id, asked(info, sample, choices, maxTokens, constrained))).trim() === sample.path;
  });
  const of = (keep: (sample: PathSample) => boolean): string => {
    const kept = cases.flatMap(({ sample }, i) => (keep(sample) ? [right[i]] : []));
    return share(kept.filter(Boolean).length, kept.length);
  };
  const single = ({ path }: PathSample): boolean => !path.includes('/');
  return [
    title,
    of(() => true),
    of(single),
    of((sample) => !single(sample)),
    constrained
      ? share(
          cases.reduce((sum, { choices }) => sum + 1 / choices.length, 0),
          count,
        )
      : '',
  ];
}
