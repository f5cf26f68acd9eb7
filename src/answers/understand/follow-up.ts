// Owns what a follow-up question means in the light of what was asked and said before: whom a pronoun stands for, and what is asked of a name alone ("And Plato?").
// Refuses to know what the answers are. Where two could be meant, none is taken.

import { entity, termText } from '../../../graph/terms.ts';
import type { BaseName, Entity, EntityId } from '../../../graph/terms.ts';
import { danglingPronoun, isClass, kindOf } from './classes.ts';
import type { Kind } from './classes.ts';
import type { QuestionGraph, Stranger } from './interpretation.ts';
import { exactLinks } from './link.ts';
import type { Link } from './link.ts';
import { Lexicon } from './lexicon.ts';
import { besideName, unknownName, unknownSubjectHan, withoutChatter } from './narrow.ts';
import { analyse, isFunctionHan, isFunctionWord, isGeneric, pronounsOf } from './question.ts';
import type { Pronoun } from './question.ts';
import { timeIn } from './times.ts';

/** A question of the conversation, and what was said to it. */
export interface Turn {
  readonly asked: string;
  readonly said: string;
}
/** A question that can be read without those before it; `open`: what it is about, or what is asked of it, cannot be told. */
export interface WholeQuestion {
  readonly text: string;
  readonly open: boolean;
}
/** With whom a pronoun of it stands for. */
interface Resolved extends WholeQuestion {
  readonly meant?: { readonly id: EntityId; readonly pronoun: Pronoun };
}
/** A word this near to a relation's name speaks of it, and is no name. */
const SPEAKS = 0.6;
/** Turns that are looked back at. */
const TURNS = 6;

interface Mention {
  readonly link: Link;
  readonly kind: Kind;
}

const ALONE = /^(?:(?:and|so|ok|okay|well|but|then)\b[\s,]*)*(?:(?:what|how)\s+about\b)?\s*(?:(?:for|of|in|at|by|from|with)\b)?\s*(?:the\s+)?$/i;
const ALONE_HAN = /^(?:那么?|还有|然后)[\s,，]*$/u;
const ALONE_BEHIND_HAN = /^\s*呢?[\s?？。]*$/u;
/** Without reading names: it may be one. */
const MAY_BE_ALONE = /^\W*(?:and|so|ok|okay|well|but|then|what about|how about|for)\b|^\s*(?:那|还有|然后)|呢[\s?？。]*$/iu;
/** The question is a name behind "and", "what about", "那", or before "呢", and nothing else. */
function isAlone(text: string, { start, end }: Link): boolean {
  const [before, behind] = [text.slice(0, start), text.slice(end)];
  if (/\p{Script=Han}/u.test(before + behind)) return (before.trim() === '' && /^\s*呢/u.test(behind) && ALONE_BEHIND_HAN.test(behind)) || (ALONE_HAN.test(before) && ALONE_BEHIND_HAN.test(behind));
  return before.trim() !== '' && ALONE.test(before) && /^[\s?.!]*$/.test(behind);
}

const isAlike = (one: Pronoun, other: Pronoun): boolean => one.of === other.of && one.gender === other.gender;
/** Stretches of the question that differ; homonyms have one. */
const stretches = (links: readonly Link[]): readonly number[] => [...new Set(links.map(({ start }) => start))];

/** What is said without naming anything. */
const COURTESY = /^(?:thanks?|thx|great|good|nice|fine|cool|wow|sure|really|interesting|perfect|excellent|right|correct|sorry|understood|hello|hi|hey|ok|okay|yes|yeah|yep|more|see|bye|goodbye|morning|evening|true|wonderful|amazing|awesome|lovely|certain)$/;
const COURTESY_HAN = /谢谢|多谢|感谢|好的|好|明白|懂|知道|真的|确定|再见|对|嗯|哦|太棒|厉害/gu;
/** Whether a sentence without a known name speaks of something: "Who was Isaac Newton?", "牛顿呢？". */
function speaksOfOthers(text: string, asked: boolean): boolean {
  const { tokens } = analyse(text.replace(COURTESY_HAN, ' '));
  return tokens.some(({ text: word, lower, han, start }) => (han ? asked && !isFunctionHan(word) : /^\p{L}{2}/u.test(word) && !isFunctionWord(lower) && !isGeneric(lower) && !COURTESY.test(lower) && (asked || (/^\p{Lu}/u.test(word) && start > 0 && !/[.!?:;]\s*$/.test(text.slice(0, start))))));
}
/** Persons who are described by whose they are. */
const KIN = {
  female: /\b(?:wife|mother|mom|mum|sister|daughter|girlfriend|fiancée?|aunt|niece|grandmother|granddaughter|widow)\b|妻子|太太|老婆|母亲|妈妈|姐姐|妹妹|女儿|女友|祖母|奶奶|外婆|侄女|孙女/iu,
  male: /\b(?:husband|father|dad|brother|son|boyfriend|fiancé|uncle|nephew|grandfather|grandson|widower)\b|丈夫|老公|父亲|爸爸|哥哥|弟弟|儿子|男友|祖父|爷爷|外公|侄子|孙子/iu,
};

class Conversation {
  readonly #graph: QuestionGraph;
  readonly #base: BaseName;
  readonly #turns: readonly Turn[];
  readonly #read = new Map<number, Promise<Resolved>>();
  constructor(graph: QuestionGraph, base: BaseName, turns: readonly Turn[]) {
    this.#graph = graph;
    this.#base = base;
    this.#turns = turns.slice(-TURNS);
  }

  /** The question as it is meant after the first `before` turns. */
  async whole(question: string, before = this.#turns.length): Promise<Resolved> {
    const same = { text: question, open: false };
    const pronouns = pronounsOf(question);
    if (before === 0 || (pronouns.length === 0 && !MAY_BE_ALONE.test(question))) return same;
    const links = await this.#links(question);
    const time = links.length === 0 ? timeIn(analyse(question)) : undefined;
    if (time && ALONE.test(question.slice(0, time.start).replace(/(?:\bon|\bin)?(?:\s+the)?(?:\s+year)?\s+$/i, ' ')) && /^[\s?.!]*$/.test(question.slice(time.end))) return this.#atTime(question.slice(time.start, time.end), before);
    const pronoun = danglingPronoun(question, links);
    if (pronoun) {
      const link = pronouns.every((other) => other.start < pronoun.start || isAlike(other, pronoun)) ? await this.#antecedent(pronoun, before) : undefined;
      if (!link) return { text: question, open: true };
      return { text: question.slice(0, pronoun.start) + link.text + (pronoun.owns ? '’s' : '') + question.slice(pronoun.end), open: false, meant: { id: link.entity.id, pronoun } };
    }
    const [name] = links;
    if (!name || stretches(links).length > 1 || !isAlone(question, name)) return same;
    return this.#inPlace(name, before);
  }
  async #turn(at: number): Promise<Resolved> {
    let read = this.#read.get(at);
    if (!read) this.#read.set(at, (read = this.whole(this.#turns[at].asked, at)));
    return read;
  }

  async #links(text: string): Promise<readonly Link[]> {
    return exactLinks(this.#graph, this.#base, analyse(text));
  }

  /** The one name that the pronoun can stand for, by the nearest turn that has any. */
  async #antecedent(pronoun: Pronoun, before: number): Promise<Link | undefined> {
    if (pronoun.of === 'several') return undefined;
    const earlier = await Promise.all(Array.from({ length: before }, (_, at) => this.#turn(at)));
    // Who was "she" is not "he".
    const others = new Set(earlier.flatMap(({ meant }) => (meant && !isAlike(meant.pronoun, pronoun) ? [meant.id] : [])));
    for (let at = before - 1; at >= 0; at--) {
      if (earlier[at].open) return undefined;
      const mentions = await this.#mentions(at);
      if (!mentions) return undefined;
      const fitting = new Map(mentions.filter(({ kind, link }) => (kind === pronoun.of || kind === 'unknown') && !others.has(link.entity.id)).map(({ link }) => [link.entity.id, link]));
      if (fitting.size > 1 || (fitting.size === 1 && (await this.#describes(at, pronoun)))) return undefined;
      for (const link of fitting.values()) return link;
    }
    return undefined;
  }

  /** "Who is X's wife?", to which the answer is not known: "she" is none who was named. */
  async #describes(at: number, { of, gender }: Pronoun): Promise<boolean> {
    if (of !== 'person') return false;
    const { text } = await this.#turn(at);
    const links = await this.#links(text);
    const question = analyse(text, links);
    const rest = links.reduce((left, { start, end }) => left.slice(0, start) + ' '.repeat(end - start) + left.slice(end), text);
    if (gender && KIN[gender].test(rest)) return true;
    // "Who is Plato?" asks for nobody else.
    const asksWhom = question.expected === 'person' && question.kind === 'answer' && speaksOfOthers(rest, true);
    const told = await this.#links(this.#turns[at].said);
    return asksWhom && told.every(({ entity: { id } }) => links.some((link) => link.entity.id === id));
  }

  /** The question before, with this name in the place of the one that it was about. */
  async #inPlace(name: Link, before: number): Promise<WholeQuestion> {
    const open = { text: name.text, open: true };
    const { text, open: unclear } = await this.#turn(before - 1);
    if (unclear) return open;
    const links = (await this.#links(text)).filter(({ start }, _, all) => all.filter((other) => other.start === start).length === 1);
    const kind = kindOf(name.entity);
    const alike = links.length === 1 ? links : links.filter((link) => kind !== 'unknown' && sameType(link.entity, name.entity));
    if (alike.length !== 1) return open;
    const [{ start, end }] = alike;
    return { text: text.slice(0, start) + name.text + text.slice(end), open: false };
  }

  /** "And in 1902?": the question before, with this time in the place of the one that it names. */
  async #atTime(time: string, before: number): Promise<WholeQuestion> {
    const { text, open } = await this.#turn(before - 1);
    const named = timeIn(analyse(text), await this.#links(text));
    return open || !named ? { text: time, open: true } : { text: text.slice(0, named.start) + time + text.slice(named.end), open: false };
  }

  /** Whom and what a turn speaks of: names, and no classes. Undefined where it names what the graph does not know. */
  async #mentions(at: number): Promise<readonly Mention[] | undefined> {
    const { said } = this.#turns[at];
    const { text } = await this.#turn(at);
    const asked = await this.#links(text);
    const told = await this.#links(said);
    if ((asked.length === 0 && speaksOfOthers(text, true)) || (told.length === 0 && speaksOfOthers(said, false))) return undefined;
    if ((await this.#stranger(text, asked))?.name !== undefined || (await this.#stranger(said, told))) return undefined;
    const answered = told.filter(({ entity: { id } }) => asked.every((link) => link.entity.id !== id));
    const { expected } = analyse(text, asked);
    const answers: Kind = expected === 'person' ? 'person' : expected === 'any' ? 'unknown' : 'thing';
    const named: Mention[] = [];
    for (const link of [...asked, ...answered]) {
      if (await this.#isClass(link.entity)) continue;
      const kind = await this.#kindOf(link.entity);
      named.push({ link, kind: kind === 'unknown' && !asked.includes(link) ? answers : kind });
    }
    return named;
  }
  /** What the graph's types say that it is, or the classes that it is said to be of. */
  async #kindOf(one: Entity): Promise<Kind> {
    if (one.types.length > 0) return kindOf(one);
    const types: string[] = [];
    for (const { name } of (await this.#graph.relations(this.#base)).filter(isClass))
      types.push(...(await this.#graph.follow(this.#base, entity(one.id), [{ relation: name, inverse: false }])).map(({ end }) => termText(end)).filter((type) => /^\p{Script=Latin}+$/u.test(type)));
    return kindOf({ ...one, types });
  }
  /** "Elsa Einstein", "Zeus". */
  async #stranger(text: string, links: readonly Link[]): Promise<Stranger | undefined> {
    const relations = await this.#graph.relations(this.#base);
    const lexicon = await Lexicon.of(relations);
    const question = analyse(withoutChatter(text, links), links);
    const apart = (stretches: readonly { readonly start: number; readonly end: number }[]) => (start: number, end: number): boolean => stretches.every((each) => end <= each.start || each.end <= start);
    const han = lexicon.hanWords(question, apart(links));
    const spoken = (start: number, end: number): boolean => !apart(han)(start, end);
    const speaks = (word: string): boolean => relations.some(({ name }) => lexicon.match(question, { text: word, start: 0, end: 0, part: 'any', asked: false, relational: false }, name).value >= SPEAKS);
    return besideName(question, links, speaks, spoken) ?? unknownName(question, links, speaks) ?? unknownSubjectHan(question, links, spoken);
  }
  async #isClass({ id, label }: Entity): Promise<boolean> {
    if (/^\p{Ll}/u.test(label)) return true;
    const classes = new Set((await this.#graph.relations(this.#base)).filter(isClass).map(({ name }) => name));
    return (await this.#graph.paths(this.#base, entity(id), { hops: 1 })).some(({ path: [step] }) => step.inverse && classes.has(step.relation));
  }
}
const sameType = (one: Entity, other: Entity): boolean => one.types.some((type) => other.types.includes(type));

/** The question as it is meant after these turns, as far as that can be told. */
export async function wholeQuestion(graph: QuestionGraph, base: BaseName, question: string, turns: readonly Turn[]): Promise<WholeQuestion> {
  return new Conversation(graph, base, turns).whole(question);
}
