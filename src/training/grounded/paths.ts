// Owns samples of writing the relation path that a question means: the relations to choose from, a question, and the path as text.
// Refuses to know tokens and models, and how replies are judged.

import { mark, plain, relationText, renderRelations } from '../../answers/words/evidence.ts';
import type { EvidenceLine, Language } from '../../answers/words/evidence.ts';
import { reached } from '../../answers/words/wording.ts';
import type { Random } from '../random.ts';
import { drawLanguage, drawName, drawRelation, drawWalk } from './draws.ts';
import type { SampleOptions } from './draws.ts';
import { leadQuestion } from './lead-ins.ts';
import { ask } from './samples.ts';

export interface PathSample {
  readonly language: Language;
  readonly question: string;
  /** As `response_format` relation_path writes relations: "directed by/^starred actors". */
  readonly path: string;
  /** Every relation that the reply may be made of. */
  readonly relations: readonly string[];
  readonly system: string;
  readonly user: string;
  readonly assistant: string;
}

const PHRASE = {
  en: {
    known: ['what is {p}', 'who is {p}', 'what are {p}', 'who are {p}', 'name {p}', 'list {p}', 'tell me {p}', '{p}', 'find {p}', 'show me {p}', 'give {p}', 'do you know {p}', 'I want to know {p}', 'can you name {p}', 'which is {p}', 'where is {p}', 'I am looking for {p}', 'and {p}', 'what about {p}', 'list all of {p}'],
    heldOut: ['could you look up {p}', 'please state {p}', 'I need to hear about {p}'],
  },
  zh: { known: ['{p}是什么', '{p}是谁', '{p}', '列出{p}', '请问{p}', '{p}有哪些', '告诉我{p}', '找出{p}', '{p}叫什么', '你知道{p}吗', '说出{p}', '想知道{p}', '{p}在哪里', '{p}呢'], heldOut: ['我想了解{p}', '麻烦查一下{p}'] },
} as const;
/** "directed by" is asked as "who directed", "born in" as "where was ... born". */
const PASSIVE = /^(?:was )?((?:\w+ )?\w+(?:ed|born|written|made|built|led|won|sung|held|taught|found|known|shown)) (by|in|at|on|to|with|for|from)$/;

export const pathText = ({ relations, inverse }: Pick<EvidenceLine, 'relations' | 'inverse'>): string => relations.map((relation, i) => `${inverse?.[i] ? '^' : ''}${relation}`).join('/');

function question(random: Random, language: Language, start: string, walk: Pick<EvidenceLine, 'relations' | 'inverse'>, options: SampleOptions): string {
  const show = (name: string): string => mark(name);
  const single = walk.relations.length === 1;
  const label = relationText(walk.relations[0]);
  if (single && random.chance(0.6)) {
    if (walk.inverse?.[0]) return ask(random, language, { subjects: [''], relations: walk.relations, objects: [start] }, 'inverse', options);
    const passive = language === 'en' && !options.heldOutQuestions ? PASSIVE.exec(label) : null;
    if (passive && random.chance(0.5)) {
      const [, verb, preposition] = passive;
      const asked = preposition === 'by' ? `who ${verb} {s}` : `${random.pick(preposition === 'in' || preposition === 'at' ? ['where', 'when', 'in what', 'in which place'] : ['what'])} was {s} ${verb}${random.chance(0.4) ? ` ${preposition}` : ''}`;
      return asked.replace('{s}', () => show(start)) + (random.chance(0.6) ? '?' : '');
    }
    return ask(random, language, { subjects: [start], relations: walk.relations, objects: [] }, 'forward', options);
  }
  const phrase = reached(start, walk, language, show);
  const asked = options.leadIns && random.chance(0.4) ? `${leadQuestion(random, language)}{p}` : random.pick(PHRASE[language][options.heldOutQuestions ? 'heldOut' : 'known']);
  let text = asked.replace('{p}', () => phrase);
  if (language === 'en' && random.chance(0.5)) text = text.charAt(0).toUpperCase() + text.slice(1);
  if (random.chance(0.6)) text += language === 'en' ? '?' : '？';
  return text;
}

/** A path of one to three relations, each walked either way, among up to twenty relations that lead elsewhere. */
export function makePath(random: Random, options: SampleOptions = {}): PathSample {
  const language = drawLanguage(random, options);
  const drawn = drawWalk(random, language, options, random.chance(0.3));
  const walk = { relations: drawn.relations.map(plain), inverse: drawn.inverse ?? drawn.relations.map(() => random.chance(0.3)) };
  // "is" alone would make questions that mean anything.
  if (walk.relations.some((relation) => relation === '是' || relation === 'is a')) return makePath(random, options);
  const asked = question(random, language, drawName(random, language, options), walk, options);
  const others = Array.from({ length: random.chance(0.7) ? random.int(1, 9) : random.int(10, 20) }, () => plain(drawRelation(random, language, options)));
  const read = new Set(walk.relations.map((relation) => relationText(relation).toLowerCase()));
  const apart = others.filter((relation) => {
    const text = relationText(relation).toLowerCase();
    return !read.has(text) && read.add(text) !== undefined;
  });
  const relations = random.shuffle([...new Set([...walk.relations, ...apart])]);
  const path = pathText(walk);
  return { language, question: plain(asked), path, relations, ...renderRelations('path', asked, relations, language), assistant: path };
}
