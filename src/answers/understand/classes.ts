// Owns what names and answers are, as far as the graph tells types, classes and qualities: whether they are what "which N" asks for, or what a pronoun can stand for.
// Refuses to know how the answers were found.

import { entity } from '../../../graph/terms.ts';
import type { BaseName, Entity, Relation } from '../../../graph/terms.ts';
import { isPlural } from '../words/grammar.ts';
import { labelShape } from '../words/wording.ts';
import type { Word } from './content.ts';
import type { Candidate, QuestionGraph, Wanted } from './interpretation.ts';
import type { Lexicon } from './lexicon.ts';
import type { Link } from './link.ts';
import { asksSex, isSexHan } from './narrow.ts';
import { pronounsOf } from './question.ts';
import type { Pronoun, Question } from './question.ts';
import { thesaurus } from './thesaurus.ts';

/** Answers whose class is looked at, at most. */
const CLASSED = 64;

/** A relation that says what its subject is. */
export const isClass = (relation: Relation): boolean => [relation.name as string, ...relation.aliases.map(({ text }) => text)].some((label) => labelShape(label).kind === 'class');

/** "Has diagnosis": a relation that says what its subject has. */
export const isOwning = ({ name }: Relation): boolean => /^(?:has|have)[\s_]|^has\p{Lu}/u.test(name);

const MEASURED = '(?:个|些|位|座|种|部|家|所|条|本|名|只)?';
const ASKED_HAN = `(?:哪(?:一|几)?|什么|多少|几)${MEASURED}`;
const BEFORE_CLASS = new RegExp(`\\b(?:which|what|many)\\s+$|${ASKED_HAN}$`, 'iu');
/** What types are called in graphs of either language. */
const TYPES_HAN: Readonly<Record<string, string>> = {
  国家: 'country', 国: 'country', 城市: 'city', 大洲: 'continent', 省: 'province', 州: 'state', 县: 'county', 镇: 'town', 村庄: 'village', 岛屿: 'island', 河流: 'river', 湖泊: 'lake',
  大学: 'university', 学校: 'school', 公司: 'company', 组织: 'organization', 电影: 'film', 影片: 'film', 书: 'book', 小说: 'novel', 歌曲: 'song', 动物: 'animal', 植物: 'plant',
};
const TYPE_HAN = new RegExp(`${ASKED_HAN}(${Object.keys(TYPES_HAN).join('|')})(?!人)`, 'u');

/** The noun that says what the answers are: "which chemists", "哪些化学家", "哪个国家". */
export interface Asked {
  readonly word: Word;
  readonly names: readonly string[];
  /** Where it is a name of the graph. */
  readonly link?: Link;
}
const asNoun = (text: string, start: number): Word => ({ text, start, end: start + text.length, part: 'noun', asked: true, relational: false });
export function askedOf(question: Question, links: readonly Link[], words: readonly Word[]): Asked | undefined {
  const { text } = question;
  const isPlain = (link: Link): boolean => link.text === link.text.toLowerCase();
  const link = links.find((each) => isPlain(each) && BEFORE_CLASS.test(text.slice(0, each.start)));
  if (link) return { word: asNoun(link.text.toLowerCase(), link.start), names: [link.text.toLowerCase()], link };
  const type = TYPE_HAN.exec(text);
  if (type) return { word: asNoun(type[1], type.index + type[0].length - type[1].length), names: [type[1], TYPES_HAN[type[1]]] };
  const word = words.find((each) => each.asked || isSexHan(each.text));
  return word && { word, names: [word.text] };
}
const typeNames = (names: readonly string[]): readonly string[] => names.flatMap((name) => [name, ...thesaurus().lemmas(name)]);
/** Whether the types say that the thing is called so. */
export const hasType = (types: readonly string[], names: readonly string[]): boolean => {
  const called = typeNames(names);
  return types.some((type) => typeNames([type.toLowerCase()]).some((each) => called.includes(each)));
};
/** Nouns of one line name what nothing of another line is. */
const APART = [
  'person people human man woman',
  'city town village municipality',
  'country nation state',
  'continent',
  'mountain hill volcano',
  'river',
  'lake sea ocean',
  'planet',
  'company organization organisation university school hospital',
  'film movie book novel song album',
].map((line) => line.split(' '));
const apartOf = (noun: string): readonly string[] | undefined => APART.find((line) => thesaurus().lemmas(noun).some((base) => line.includes(base)));
/** Whether a thing of these types is surely none that is called so. */
const areApart = (noun: string, types: readonly string[]): boolean => {
  const own = apartOf(noun);
  const others = types.map((type) => apartOf(type.toLowerCase()));
  return own !== undefined && others.length > 0 && others.every((other) => other !== undefined && other !== own);
};
const PERSONS = ['person', 'people', 'human', '人', '人物', '人类'];
/** Not said to be other than persons. */
export const arePersons = (entities: readonly Entity[]): boolean => {
  const told = entities.filter(({ types }) => types.length > 0);
  return told.length === 0 || told.some(({ types }) => hasType(types, PERSONS) || types.some((type) => thesaurus().isKind(type.toLowerCase(), 'person')));
};

export type Kind = 'person' | 'thing' | 'unknown';
/** What the graph's types say that it is. */
export const kindOf = (one: Entity): Kind => (one.types.length === 0 ? 'unknown' : arePersons([one]) ? 'person' : 'thing');

/** The first pronoun that no name in front of it can be meant by ("Was Plato his teacher?"), in the sentence of the first name behind it: "She was great. Where did she meet Plato?". */
export function danglingPronoun(text: string, links: readonly Link[]): Pronoun | undefined {
  return pronounsOf(text).find(({ start, end, of, owns }) => {
    // "Her" may be the title of a film.
    if (links.some((link) => link.start <= start && end <= link.end)) return false;
    const behind = Math.min(...links.flatMap((link) => (link.start >= end ? [link.start] : [])), text.trimEnd().length);
    const meant = links.some((link) => link.start <= start && !(owns && /^\s+$/.test(text.slice(link.end, start))) && (of === 'several' || kindOf(link.entity) === of || kindOf(link.entity) === 'unknown'));
    return !meant && !/[.!?。！？]["'”’」』)）]*(?:\s|(?<=[。！？]))\S/u.test(text.slice(end, behind));
  });
}

/**
 * What the answers have to be, or `none` where that cannot be told of them. "Which chemists": where the graph tells chemists from others among the answers, those that are some. Kinds that the answers
 * are said to have are told apart by who reads them.
 */
export async function wantedOf(graph: QuestionGraph, base: BaseName, question: Question, { start, path }: Candidate, asked: Asked | undefined, lexicon: Lexicon, relations: readonly Relation[]): Promise<Wanted | 'any' | 'none'> {
  if (!asked) return asksSex(question, undefined) ? 'none' : 'any';
  const { word, names, link } = asked;
  const type: Wanted = { kind: 'type', names };
  if (!link && path.some(({ relation }) => lexicon.match(question, word, relation).sure)) return type;
  const ends = (await graph.follow(base, start, path, { limit: CLASSED })).map(({ end }) => end);
  const ids = ends.flatMap((end) => (end.kind === 'entity' ? [end.id] : []));
  const reached = await graph.entities(base, ids);
  const typed = new Set(reached.flatMap(({ id, types }) => (hasType(types, names) ? [id] : [])));
  // Of "tags", in the plural, no single one says what a thing is.
  const isQuality = (relation: Relation): boolean => {
    const shape = labelShape(relation.name);
    return isClass(relation) || (shape.kind === 'noun' && !isPlural(shape.text));
  };
  const qualities = new Set(relations.filter(isQuality).map(({ name }) => name));
  const classes = link ? [link.entity] : [...(await graph.named(base, [...new Set(typeNames(names))])).values()].flat().map(({ entity: named }) => named);
  let known = false;
  for (const { id: quality } of classes)
    for (const { path: [{ relation, inverse }] } of await graph.paths(base, entity(quality), { hops: 1 })) {
      if (!inverse || !qualities.has(relation)) continue;
      known = true;
      let [told, all] = [0, 0];
      for (const id of ids) {
        const isTold = (await graph.follow(base, entity(id), [{ relation, inverse: false }], { limit: 1 })).length > 0;
        told += Number(isTold);
        all += Number(isTold || typed.has(id));
      }
      // Who is said to be nothing may be one: they are left out of a list, and cannot be counted.
      if (told > 0) return question.kind === 'count' && (all < ids.length || ids.length >= CLASSED) ? 'none' : { kind: 'class', names, relation, quality };
    }
  if (typed.size > 0) return type;
  // "Which mountain was X born in?": all are told to be something else.
  if (ids.length > 0 && ids.length === ends.length && reached.length === ids.length && reached.every(({ types }) => areApart(word.text, types))) return 'none';
  // The graph says of others that they are some, and of none of these.
  if (known && ids.length > 0) return 'none';
  return asksSex(question, word.text) || (link !== undefined && question.language === 'zh') ? 'none' : type;
}
