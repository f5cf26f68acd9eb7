// Owns what names and answers are, as far as the graph tells types, classes and qualities: whether they are what "which N" asks for, or what a pronoun can stand for.
// Refuses to know how the answers were found.

import { entity, termText } from '../../../graph/terms.ts';
import type { BaseName, Entity, EntityId, Relation, RelationName, Term } from '../../../graph/terms.ts';
import { relationText } from '../words/evidence.ts';
import { isPlural } from '../words/grammar.ts';
import { labelShape } from '../words/wording.ts';
import type { Word } from './content.ts';
import type { Candidate, QuestionGraph, Wanted } from './interpretation.ts';
import type { Lexicon } from './lexicon.ts';
import type { Link } from './link.ts';
import { asksSex, isSexHan } from './narrow.ts';
import { isFunctionHan, MEASURES_HAN, pronounsOf } from './question.ts';
import type { Pronoun, Question } from './question.ts';
import { thesaurus } from '../thesaurus/thesaurus.ts';

/** Answers whose class is looked at, at most. */
const CLASSED = 64;

/** A relation that says what its subject is. */
export const isClass = (relation: Relation): boolean => [relation.name as string, ...relation.aliases.map(({ text }) => text)].some((label) => labelShape(relationText(label)).kind === 'class' || label === '是');

/** What is found of somebody rather than done or feared: who is diagnosed with a condition has it. */
const FOUND = /^(?:诊断|确诊|疾病|病症|症状|diagnos[ie]s|diagnosed with|suffers from|symptom|complaint)$/;
/** "Diagnosis", "disease": a relation whose object, being a condition such as pneumonia, is what its subject has. A phobia of spiders is no spider. */
export function isSuffering({ name }: Relation, object: Entity): boolean {
  const label = relationText(name).toLowerCase();
  const condition = object.label.toLowerCase().split(/\s+/).at(-1) ?? '';
  return (FOUND.test(label) || thesaurus().isKind(label, CONDITION, 1)) && (CONDITION_HAN.test(condition) || thesaurus().isKind(condition, CONDITION));
}
const CONDITION = 'condition';
const CONDITION_HAN = /[炎症病癌瘤伤折疹]$/u;

/** "Has diagnosis", "患有": a relation that says what its subject has. */
export const isOwning = ({ name }: Relation): boolean => /^(?:has|have)[\s_]|^has\p{Lu}|^\p{Script=Han}+有$/u.test(name);

const MEASURED = `(?:些|${MEASURES_HAN})?`;
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
/** With what the names of such places end. */
const SUFFIXES_HAN: Readonly<Record<string, string | undefined>> = { 城市: '市', 市: '市', 省: '省', 区: '区', 县: '县', 镇: '镇', 村: '村' };
export const isPlaceHan = (asked: Asked | undefined): boolean => asked !== undefined && SUFFIXES_HAN[asked.word.text] !== undefined;
const IN_WHICH_HAN = /在(?:哪一?[个座]?|什么)(?:城市|[市省区县镇村])[\s?？呢]*$/u;
const KIND_HAN = new RegExp(ASKED_HAN, 'gu');
/** What a Chinese question that names nothing calls its answers: "哪家医院是1999年开放的". `spoken`: the stretch says something else. */
export function nounHan({ text, tokens }: Question, spoken: (start: number, end: number) => boolean): Asked | undefined {
  for (const { 0: asking, index } of text.matchAll(KIND_HAN)) {
    const start = index + asking.length;
    let end = start;
    for (const token of tokens) if (token.start === end && token.han && !isFunctionHan(token.text) && !/[于属来由]/u.test(token.text) && !spoken(token.start, token.end)) ({ end } = token);
    if (end > start) return { word: asNoun(text.slice(start, end), start), names: [text.slice(start, end)] };
  }
  return undefined;
}
const KIND_ASKED = /^\s*(?:and\s+)?(?:what|which)\s+(?:(?:kind|type|sort)s?\s+of\s+)?(?:an?\s+)?(\p{Ll}+)\s+(?:is|are|was|were)\s+(?:the\s+)?\u25a1+[\s?.!]*$/iu;
/** Of what no class says more than that something is one. */
const KIND_ASKED_HAN = /^\s*(?:请问)?\u25a1+(?:是|属于)(?:一?[种类个件只]|哪一?[种类个件只]|什么)(?:动物|植物|生物|物种|品种|种类|类别|类型|东西|物品|文物|药物|食物)[\s?？。]*$/u;
/** "What animal is X?", "X是什么动物？": asks what X is, if all that it is said to be is one. */
export async function asksKind(graph: QuestionGraph, base: BaseName, { rest, language }: Question, name: Term, classes: readonly RelationName[]): Promise<boolean> {
  if (language === 'zh') return KIND_ASKED_HAN.test(rest);
  const noun = KIND_ASKED.exec(rest)?.[1].toLowerCase();
  if (noun === undefined) return false;
  // Dictionaries of words for people and their deeds have no animals.
  if (/^(?:animal|creature|plant|species|breed|organism)$/.test(noun)) return true;
  const told: Term[] = [];
  for (const relation of classes) told.push(...(await graph.follow(base, name, [{ relation, inverse: false }], { limit: CLASSED })).map(({ end }) => end));
  return told.length > 0 && told.every((end) => thesaurus().isKind(termText(end).toLowerCase().split(/\s+/).at(-1) ?? '', noun));
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
  'city town municipality',
  'village',
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
 * are said to have are told apart by who reads them. `unnamed`: the question names nothing but what is asked for, so that answers that are known as something else are none.
 */
export async function wantedOf(graph: QuestionGraph, base: BaseName, question: Question, { start, others = [], path }: Candidate, asked: Asked | undefined, lexicon: Lexicon, relations: readonly Relation[], unnamed = false): Promise<Wanted | 'any' | 'none'> {
  const ends: Term[] = [];
  for (const from of asked || unnamed ? [start, ...others] : []) ends.push(...(await graph.follow(base, from, path, { limit: CLASSED })).map(({ end }) => end));
  const ids = [...new Set(ends.flatMap((end) => (end.kind === 'entity' ? [end.id] : [])))];
  const knownAs = async (names: readonly string[]): Promise<Wanted | 'any' | 'none'> => {
    const { fits, unlike, unknown } = await fitting(graph, base, ids, names, relations);
    if (fits.length === ids.length || unlike + fits.length === 0) return 'any';
    return fits.length === 0 || (question.kind === 'count' && (unknown > 0 || ids.length >= CLASSED)) ? 'none' : { kind: 'some', ids: fits };
  };
  if (!asked) return asksSex(question, undefined) ? 'none' : unnamed && question.expected === 'person' && question.language === 'en' ? knownAs(PERSONS) : 'any';
  const { word, names, link } = asked;
  const type: Wanted = { kind: 'type', names };
  // "Which teams played in X?" is not answered by when it was played.
  const namesIt = (relation: RelationName): boolean => {
    const { sure, label } = lexicon.match(question, word, relation);
    return sure && labelShape(relationText(label)).kind === 'noun';
  };
  const isValue = (end: Term): boolean => end.kind === 'literal' && (end.type === 'date' || end.type === 'number');
  if (question.kind === 'answer' && question.expected !== 'time' && question.language === 'en' && word.text !== 'kind' && ends.length > 0 && ends.every(isValue) && !path.some(({ relation }) => namesIt(relation))) return 'none';
  if (!link && path.some(({ relation }) => lexicon.match(question, word, relation).sure)) return type;
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
  // "位于哪个区": of those whose names tell which are some.
  const suffix = SUFFIXES_HAN[word.text];
  const named = suffix === undefined ? [] : reached.filter(({ label }) => label.endsWith(suffix)).map(({ id }) => id);
  if (named.length > 0 && named.length < ids.length) return question.kind === 'count' ? 'none' : { kind: 'some', ids: named };
  if (suffix !== undefined && named.length === 0 && IN_WHICH_HAN.test(question.text)) return 'none';
  if (asksSex(question, word.text) || (link !== undefined && question.language === 'zh')) return 'none';
  const whole = unnamed ? await knownAs(names) : 'any';
  if (whole !== 'any') return whole;
  return !unnamed && isPlace(word.text) && (await areOthers(graph, base, ids, word.text, relations)) ? 'none' : type;
}

/** "Which stadium does X play in?": all are said to be of places or institutions that have nothing to do with one. */
async function areOthers(graph: QuestionGraph, base: BaseName, ids: readonly EntityId[], noun: string, relations: readonly Relation[]): Promise<boolean> {
  const classes = relations.filter(isClass);
  for (const id of ids) {
    const told: string[] = [];
    for (const { name } of classes) told.push(...(await graph.follow(base, entity(id), [{ relation: name, inverse: false }], { limit: CLASSED })).map(({ end }) => termText(end).toLowerCase()));
    if (told.length === 0 || told.some((type) => !isPlace(type) || thesaurus().similarity(type, noun, 'noun') > 0 || thesaurus().isKind(type, noun) || thesaurus().isKind(noun, type))) return false;
  }
  return ids.length > 0;
}
/** Names of places and of what people set up end with what they are. */
const isPlace = (noun: string): boolean => ['structure', 'facility', 'organization', 'location', 'group'].some((kind) => thesaurus().isKind(noun, kind, 1));
/** Which of these are known as what the names say: the graph says that it is that or a kind of it, or its own name does ("Marlow Museum"). The others are known as something else, or as nothing. */
export async function fitting(graph: QuestionGraph, base: BaseName, ids: readonly EntityId[], names: readonly string[], relations: readonly Relation[]): Promise<{ readonly fits: readonly EntityId[]; readonly unlike: number; readonly unknown: number }> {
  const classes = relations.filter(isClass);
  const fits: EntityId[] = [];
  let unlike = 0;
  for (const { id, label, types } of await graph.entities(base, ids)) {
    const told = [...types];
    for (const { name } of classes) told.push(...(await graph.follow(base, entity(id), [{ relation: name, inverse: false }], { limit: CLASSED })).map(({ end }) => termText(end)));
    const isOne = hasType([...told.flatMap((type) => [type, type.split(/\s+/).at(-1) ?? type]), ...label.split(/\s+/)], names) || names.some((name) => (/\p{Script=Han}$/u.test(label) && label.endsWith(name)) || told.some((type) => (/\p{Script=Han}$/u.test(type) && type.endsWith(name)) || thesaurus().isKind(type.toLowerCase(), name)));
    if (isOne) fits.push(id);
    else if (told.length > 0 || (names.some(isPlace) && isPlace(label.split(/\s+/).at(-1)?.toLowerCase() ?? ''))) unlike++;
  }
  return { fits, unlike, unknown: ids.length - fits.length - unlike };
}
