// Owns understanding a question against a graph: which entities it names, which relation path or triple it asks about, and how sure that is.
// Refuses to know what the answer is, wording and the model. No question template is written down here: grammar words, the graph's own names and a thesaurus decide.

import { entity, literal, termText } from '../../../graph/terms.ts';
import type { BaseName, Entity, Path, Relation, RelationName, Term } from '../../../graph/terms.ts';
import { labelShape } from '../words/wording.ts';
import { arePersons, askedOf, asksKind, danglingPronoun, fitting, isClass, isOwning, isPlaceHan, isSuffering, nounHan, wantedOf } from './classes.ts';
import type { Asked } from './classes.ts';
import { contentWords, deedHan, impliedWords, singleHan, unknownHan } from './content.ts';
import type { Word } from './content.ts';
import { dated } from './dated.ts';
import type { Candidate, Interpretation, QuestionGraph } from './interpretation.ts';
import { labelled } from './label.ts';
import { isUnknown, Lexicon, NEAR_VERB, WEAK } from './lexicon.ts';
import { exactLinks, misspeltLinks, overlaps } from './link.ts';
import type { Link } from './link.ts';
import { besideName, companions, heldOff, narrowsSex, pickedOut, unknownName, unknownSubjectHan, withoutChatter } from './narrow.ts';
import { analyse, isFellowWord, isFunctionWord, MEASURES_HAN } from './question.ts';
import type { Question, Token } from './question.ts';
import { thesaurus } from '../thesaurus/thesaurus.ts';
import { CERTAIN, CLEAR, PLAIN, Ranker } from './rank.ts';
import { timeIn } from './times.ts';
import { isPlacing, verification } from './verify.ts';

/** Letters of a word that is looked for as a misspelt name beside others. */
const STRANGE = 5;
/** Names whose paths are compared. */
const STARTS = 4;
const CANDIDATES = 8;
/** What a name adds to its paths' scores, from misspelt to exactly as written. */
const NAME_WEIGHT = 0.3;
/** For each other name of the question that a path leaves aside. */
const NAME_LEFT = 0.3;
/** What paths reach is looked at in this many ends, and decides between paths that the words leave this close; a time is asked for more strictly. */
const REACHED = 8;
const CLOSE = 0.2;
const WHEN = 0.2;
const CLOSE_TIMES = 1;
const EXPECTED_TIME = 0.6;

/** What only asks whether the rest is so. */
const IS_TRUE = /^\s*(?:is|was|isn['’]t)\s+it\s+(?:really\s+)?(?:true|correct|right|so|the\s+case|a\s+fact)\s+that\b/i;
const blanks = (text: string): string => ' '.repeat(text.length);
const GOES_ON = /^\s*(?:and|but|or|what about|how about)\b(?!.*\b(?:is|was|are|were)\b)|^\s*那?.{1,24}呢\s*[?？]?\s*$/i;

export async function understand(graph: QuestionGraph, text: string, { base, hops }: { readonly base: BaseName; readonly hops: number }): Promise<Interpretation> {
  const unnamed = analyse(text);
  const relations = await graph.relations(base);
  const lexicon = await Lexicon.of(relations);
  const names = relations.map(({ name }) => name);
  const speaks = (word: string): boolean => names.some((name) => lexicon.match(unnamed, { text: word, start: 0, end: 0, part: 'any', asked: false, relational: false }, name).value >= 0.6);
  let links = withoutWords(await exactLinks(graph, base, unnamed), speaks, unnamed);
  if (links.length === 0) links = await pluralLinks(graph, base, unnamed);
  if (links.length === 0) links = await misspeltLinks(graph, base, unnamed, ({ lower, start, han }) => !han && (speaks(lower) || /\b(?:which|what|many)\s+$/i.test(text.slice(0, start))));
  // Beside names as written there may be one that is not: a word that no dictionary has.
  else if (unnamed.tokens.some((token) => isStrange(token, links, speaks)))
    links = [...links, ...(await misspeltLinks(graph, base, unnamed, () => false, (token) => isStrange(token, links, speaks)))].toSorted((a, b) => a.start - b.start || b.score - a.score);
  const labels = relations.flatMap(({ name, aliases }) => [name as string, ...aliases.map(({ text: alias }) => alias)]);
  const spelt = labelled(text, labels);
  // "合作医院" names no hospital.
  const apart = links.filter(({ start, end, text: name }) => !/\p{Script=Han}/u.test(name) || !spelt.some((label) => label.start <= start && end <= label.end && label.end - label.start > end - start));
  if (apart.length > 0) links = apart;
  const outside = overlaps(links);
  const heard = analyse(withoutChatter(text, links).replace(IS_TRUE, blanks), links);
  // "Common name", "合作医院": a label that the graph has is meant as a whole.
  const fellow = heard.fellow.filter((at) => overlaps(spelt)(at, at + 1));
  const question: Question = { ...heard, kind: IS_TRUE.test(text) ? 'verify' : heard.kind, fellow: [...fellow, ...companions(heard, links, labels)] };
  const han = lexicon.hanWords(question, outside);
  const free = (start: number, end: number): boolean => outside(start, end) && overlaps(han)(start, end);
  const written = [...contentWords(question, outside), ...han, ...unknownHan(question, free), ...deedHan(question, han)];
  const implied = impliedWords(question, links, written, MEASURED_HAN.test(text) ? await labelsOf(graph, base, links, relations) : []);
  const told = [...written, ...implied];
  // A verb of one character keeps a question from being a bare "what is X", and is not left out beside other words.
  const spoken = [...told, ...singleHan(question, (start, end) => free(start, end) && overlaps(implied)(start, end)).filter(({ relational }) => relational || told.length === 0)].sort((a, b) => a.start - b.start);
  // "Which doctors work at X": where doctors are a class of the graph and another word says the relation, they say which answers are meant.
  const speaksPlainly = (word: Word): boolean => names.some((name) => lexicon.match(question, word, name).value >= PLAIN);
  const kinds = spoken.filter(({ asked }) => asked).flatMap(({ text: word }) => thesaurus().lemmas(word));
  const classed = kinds.length > 0 && spoken.some((word) => !word.asked && speaksPlainly(word)) && (await isClassName(graph, base, kinds, relations));
  const words = classed ? spoken.filter(({ asked }) => !asked) : spoken;
  const known = { language: question.language, kind: question.kind, links };
  const asked = askedOf(question, links, spoken);
  const noun = asked ?? (question.language === 'zh' ? nounHan(question, (start, end) => !overlaps([...links, ...han])(start, end)) : undefined);
  // "Which movies were released in 1999?" names a class, and is about the year.
  const moment = timeIn(question, links);
  // No part of a time is a name that is not known.
  const timeless: Question = moment ? analyse(question.text.slice(0, moment.start) + blanks(text.slice(moment.start, moment.end)) + question.text.slice(moment.end), links) : question;
  const onlyClass = asked?.link !== undefined && links.every(({ start }) => start === asked.link?.start) ? asked : undefined;
  const isUnnamed = links.length === 0 || onlyClass !== undefined;
  const time = isUnnamed && question.kind !== 'verify' ? moment : undefined;
  const isYear = time === undefined || /^\d+\s*年?$/.test(text.slice(time.start, time.end));
  const number = isUnnamed && isYear ? question.tokens.find(({ text: digits, start, end }) => /^\d+(?:\.\d+)?$/.test(digits) && outside(start, end)) : undefined;
  // "Who acted in and directed X": two relations of one name, not one behind the other.
  const joined = spoken.some((word, i) => spoken[i + 1] !== undefined && /^\s*(?:in\s+|by\s+|with\s+)?(?:,\s*)?and\s+(?:also\s+)?$/i.test(text.slice(word.end, spoken[i + 1].start)) && [word, spoken[i + 1]].every(speaksPlainly));
  const beyond = question.beyond && analyse(question.text, [...links, ...spelt]).beyond;
  const read = (start: number, end: number): boolean => !overlaps(han)(start, end);
  const beside = besideName(timeless, links, speaks, read);
  // Whom a pronoun in front of the names stands for is not said: "Where in Germany was she born?".
  const pronoun = danglingPronoun(question.text, links);
  // "Is it raining in the garden?" speaks of no thing.
  const dangling = pronoun?.of === 'thing' && question.kind === 'verify' ? undefined : pronoun;
  const unread = unknownName(timeless, links, speaks);
  const stranger = beside ?? (dangling ? { start: dangling.start, end: dangling.end, name: '' } : (unread ?? unknownSubjectHan(timeless, links, read)));
  const refused = { ...(stranger ? { stranger } : {}), confident: false };
  if ((links.length === 0 && !number && !time) || beyond || joined || beside || dangling || unread || pickedOut(question, links, labels) || heldOff(question, links, spoken, speaksPlainly)) return { ...known, candidates: [], ...refused };
  if (number || time) {
    const isOutside = (stretch: { readonly start: number; readonly end: number }) => (word: Word): boolean => overlaps([stretch])(word.start, word.end);
    const numbered = number && (await answering(graph, base, hops, question, [{ start: number.start, end: number.end, score: 1, term: literal(Number(number.text)) }], words.filter(isOutside(number)), lexicon, relations.filter(({ literals }) => literals > 0)));
    const found = time && !numbered?.confident ? await dated(graph, base, question, time, words.filter(isOutside(time)), lexicon, relations) : numbered;
    if (!found?.confident) return { ...known, candidates: [], ...refused };
    const wanted = await wantedOf(graph, base, question, found.candidates[0], onlyClass ?? noun, lexicon, relations, true);
    return wanted === 'none' ? { ...known, candidates: found.candidates, ...refused } : { ...known, ...(wanted === 'any' ? {} : { wanted }), ...found };
  }
  if (question.kind === 'verify') {
    const read = await verification(graph, base, question, links, words, lexicon, relations);
    return { ...known, ...(read.confident ? {} : refused), ...read };
  }
  // The class is no name that the question is about, unless there is no other.
  const about = links.filter((link) => link.start !== asked?.link?.start);
  const narrowing = about.length > 0 ? asked : undefined;
  const starts = (narrowing ? about : links).map((link): Start => ({ ...link, term: entity(link.entity.id) }));
  const kind = about.length > 0 ? noun : undefined;
  const { candidates, confident } = await answering(graph, base, hops, question, starts, words, lexicon, relations, kind);
  // Where no word says how they are related to the name, the answers are known by what they are.
  const isBare = words.every((word) => isKindWord(word, kind) && word.text !== 'kind') && !candidates[0]?.path.some(({ relation }) => classPath(relations).includes(relation));
  const wanted = confident ? await wantedOf(graph, base, question, candidates[0], isBare || isPlaceHan(kind) ? kind : narrowing, lexicon, relations, isBare && (kind !== undefined || INSIDE.test(blanked(question, about[0] ?? links[0])))) : 'none';
  const used = candidates[0]?.path.map(({ relation }) => relation) ?? [];
  // Of a wife the spouse is meant; of parents there are two.
  const isNarrower = narrowsSex(words.filter(({ text: word }) => !/^(?:husband|wi(?:fe|ves))/.test(word)), (word) => used.some((relation) => lexicon.match(question, word, relation).value >= PLAIN), (word) => used.some((relation) => lexicon.match(question, word, relation).sure));
  if (wanted === 'none' || isNarrower) return { ...known, candidates, ...refused };
  return { ...known, ...(wanted === 'any' ? {} : { wanted }), candidates, confident };
}
const MEASURED_HAN = /多(?:[大高重长]|少钱)|[高重]多少/u;
/** What the relations of which the named things are subjects are called. */
async function labelsOf(graph: QuestionGraph, base: BaseName, links: readonly Link[], relations: readonly Relation[]): Promise<readonly string[]> {
  const own = new Set<string>();
  for (const { entity: { id } } of links.slice(0, STARTS)) for (const { path: [{ relation, inverse }] } of await graph.paths(base, entity(id), { hops: 1 })) if (!inverse) own.add(relation);
  return relations.flatMap(({ name, aliases }) => (own.has(name) ? [name as string, ...aliases.map(({ text: alias }) => alias)] : []));
}
/** The word only says what the answers are. */
const isKindWord = ({ asked, start, end }: Word, kind: Asked | undefined): boolean => asked || (kind !== undefined && kind.word.start <= start && end <= kind.word.end);
const isStrange = ({ lower, start, end, han }: Token, links: readonly Link[], speaks: (word: string) => boolean): boolean =>
  !han && lower.length >= STRANGE && /^\p{Script=Latin}+$/u.test(lower) && !isFunctionWord(lower) && !isFellowWord(lower) && !lower.endsWith('ly') && isUnknown(lower) && overlaps(links)(start, end) && !speaks(lower);

/** "How many patients are there?": the class is called patient. */
async function pluralLinks(graph: QuestionGraph, base: BaseName, { tokens }: Question): Promise<readonly Link[]> {
  const bases = new Map(tokens.flatMap((token) => (token.han || isFunctionWord(token.lower) ? [] : thesaurus().lemmas(token.lower).flatMap((lemma) => (lemma !== token.lower && token.lower.endsWith('s') ? [[lemma, token] as const] : [])))));
  if (bases.size === 0) return [];
  return [...(await graph.named(base, [...bases.keys()]))].flatMap(([lemma, hits]) => {
    const token = bases.get(lemma);
    return token ? hits.slice(0, 1).map(({ entity: named }) => ({ entity: named, start: token.start, end: token.end, text: token.text, score: 0.8 })) : [];
  });
}

/** A stretch of the question from whose term paths may start. */
interface Start {
  readonly start: number;
  readonly end: number;
  readonly score: number;
  readonly term: Term;
  readonly entity?: Entity;
}

/** Lower-case words that speak of a relation ("director") or only look like a name ("together" for "Together") give way to names written as such. */
function withoutWords(links: readonly Link[], speaks: (word: string) => boolean, { text: whole, kind }: Question): readonly Link[] {
  // "Is X a movie?" where the class is called Movie.
  const classed = ({ start, end }: Link): boolean => kind === 'verify' && /\ban?\s+$/i.test(whole.slice(0, start)) && /^\W*$/.test(whole.slice(end));
  const plain = (link: Link): boolean => link.text === link.text.toLowerCase() && /^[\p{Script=Latin}\s]+$/u.test(link.text) && !classed(link);
  // Who writes everything in lower case is not held to it.
  const careless = !links.some(({ text }) => /\p{Lu}/u.test(text));
  const proper = links.filter((link) => !plain(link) || ((link.score === 1 || careless) && !link.text.split(/\s+/).some(speaks)));
  return proper.length > 0 ? proper : links;
}

async function answering(
  graph: QuestionGraph,
  base: BaseName,
  hops: number,
  question: Question,
  starts: readonly Start[],
  words: readonly Word[],
  lexicon: Lexicon,
  relations: readonly Relation[],
  kind?: Asked,
): Promise<Pick<Interpretation, 'candidates' | 'confident'>> {
  const found: { candidate: Candidate; evidence: number; strange: boolean; astray: boolean }[] = [];
  for (const from of starts.toSorted((a, b) => b.score - a.score || b.end - b.start - (a.end - a.start)).slice(0, STARTS)) {
    const start = from.term;
    const ranker = new Ranker(question, words, lexicon, relations, from);
    const others = starts.filter((other) => other.end <= from.start || from.end <= other.start);
    // Another name that is surely meant as one narrows the question, which a path from this one does not.
    const narrowed = others.some(({ start: at, end, score }) => score < 1 || /\p{Lu}|\p{Script=Han}/u.test(question.text.slice(at, end)));
    // "Where is X?" is not answered by what X is.
    const having = words.length === 0 ? question.tokens.find(({ lower, start: at, end }) => /^(?:has|have|had|有)$/.test(lower) && overlaps(starts)(at, end)) : undefined;
    const owns = having !== undefined && (question.language === 'en' || ((having.end === from.start || having.start === from.end) && !asksInstances(question, from, kind)));
    const isJoined = JOINED.test(question.text.slice(0, from.start));
    const asksWhat = words.length === 0 ? !DOING.test(question.rest) && !owns && !isJoined && question.expected !== 'place' && question.expected !== 'time' && !GOES_ON.test(question.text) : await asksKind(graph, base, question, start, classPath(relations));
    const bare = asksWhat ? classPath(relations) : [];
    const isOnlyKind = words.every((word) => isKindWord(word, kind));
    const isWho = isOnlyKind && !owns && !isJoined && asksInstances(question, from, kind);
    const preposition = isOnlyKind ? (INSIDE.exec(blanked(question, from))?.[1].toLowerCase() ?? (INSIDE_HAN.test(blanked(question, from)) ? '' : undefined)) : undefined;
    const paths = (await graph.paths(base, start, { hops })).map(({ path }) => path);
    // "Who has X?", "What does X have?": where one relation says what somebody has.
    const owning = new Set(relations.filter((relation) => isOwning(relation) || (from.entity !== undefined && isSuffering(relation, from.entity))).map(({ name }) => name));
    const has = owns ? paths.filter(([{ relation, inverse }, ...more]) => more.length === 0 && owning.has(relation) && inverse === (having.start < from.start && !/\b(?:do|does|did)\b/i.test(question.text.slice(0, from.start)))) : [];
    // "What is in X?": where one relation says what is.
    const within = preposition === undefined ? [] : paths.filter(([{ relation, inverse }, ...more]) => more.length === 0 && inverse && relations.some((each) => each.name === relation && isPlacing(each, preposition)));
    const lone = has.length === 1 ? has[0] : within.length === 1 ? within[0] : kind && (await reachingOnly(graph, base, start, within, kind, relations));
    // A relation between things of one kind can be meant either way, if grammar does not say which.
    const mutual = new Set(paths.flatMap(([first, second]) => (second && first.relation === second.relation && first.inverse === second.inverse ? [first.relation] : [])));
    for (const path of paths) {
      const ranked = ranker.score(path);
      const plain = lone === path || path.length === 1 && (bare.includes(path[0].relation) || (isWho && path[0].inverse && labelShape(path[0].relation).kind === 'noun' && (await areSaidOf(graph, base, start, path))));
      const evidence = plain ? 1 : ranked.evidence;
      // A stored value is never a subject.
      if (evidence === 0 || (!plain && ranked.reversed && start.kind === 'entity')) continue;
      const score = (plain ? (path[0].inverse ? 0.5 : 0.6) : ranked.score) + NAME_WEIGHT * from.score - (NAME_LEFT * new Set(others.map((other) => other.start)).size);
      const strange = narrowed || ranker.strangers.length > 0 || (!plain && ranked.undirected && mutual.has(path[0].relation) && ranked.evidence < CERTAIN);
      found.push({ candidate: { start, path, score }, evidence, strange, astray: !plain && ranked.astray });
    }
  }
  found.sort((a, b) => b.candidate.score - a.candidate.score);
  // What is only near to what a relation is called does not become it by reaching a time.
  const isTold = ({ path }: Candidate): boolean => path.every(({ relation }) => words.some((word) => lexicon.match(question, word, relation).value > NEAR_VERB));
  const isSure = ({ path }: Candidate): boolean => path.every(({ relation }) => words.some((word) => lexicon.match(question, word, relation).sure));
  const best = await byEnds(graph, base, question, found.slice(0, CANDIDATES), isTold, isSure);
  return { candidates: best.map(({ candidate }) => candidate), confident: best.length > 0 && best[0].evidence >= CLEAR && !best[0].strange && !best[0].astray && !isLeftOut(question, words, best[0].candidate, lexicon) };
}
/** The one of the paths that reaches what is known as what is asked for. */
async function reachingOnly(graph: QuestionGraph, base: BaseName, start: Term, paths: readonly Path[], { names }: Asked, relations: readonly Relation[]): Promise<Path | undefined> {
  const found: Path[] = [];
  for (const path of paths) {
    const ends = (await graph.follow(base, start, path, { limit: REACHED })).flatMap(({ end }) => (end.kind === 'entity' ? [end.id] : []));
    const { fits } = await fitting(graph, base, ends, names, relations);
    if (fits.length > 0) found.push(path);
  }
  return found.length === 1 ? found[0] : undefined;
}
/** "Who set X?", whatever is done. */
const DOING = /\bwho\s+(?!is\b|are\b|was\b|were\b)\p{L}+\s+(?:the\s+|an?\s+)?\u25a1/iu;
/** "What is in X?" does not ask what X is. */
const JOINED = /\b(?:is|are|was|were)\s+(?:in|on|at|from|of|for|with|by|to|under|near|behind|inside)\s+(?:an?\s+|the\s+)?$/i;
/** "What is in X?", "Which stations are there on X?". */
const INSIDE = /^\s*(?:(?:and|so)\s+)?(?:(?:what|which|how many)(?:\s+\p{L}+)?|who)\s+(?:is|are|was|were)\s+(?:there\s+)?(in|at|on)\s+(?:the\s+)?\u25a1[\s?.!]*$/iu;
const INSIDE_HAN = /^\u25a1(?:里面?|内|中|上)?(?:都|总共|一共)?有(?:什么|哪些|哪几|多少|几)/u;
const blanked = ({ text }: Question, { start, end }: { readonly start: number; readonly end: number }): string => `${text.slice(0, start)}\u25a1${text.slice(end)}`;
/** "What does the owner of X drive?": what is done is asked, and no step of the path says it, nor what it is done to. */
function isLeftOut(question: Question, words: readonly Word[], { start, path }: Candidate, lexicon: Lexicon): boolean {
  const auxiliary = /\b(?:do|does|did)(?:n['’]t)?\b/i.exec(question.text);
  if (!auxiliary || question.expected === 'time') return false;
  const speaks = (word: Word): boolean => path.some(({ relation }) => lexicon.match(question, word, relation).value >= WEAK);
  const done = words.findLast(({ start: at, end, text }) => at > auxiliary.index && /^\s*(?:in|on|at|to|for|with|from|of|by|as|about)?[\s?.!]*$/.test(question.text.slice(end)) && thesaurus().lemmas(text).includes(text) && thesaurus().is(text, 'v'));
  return start.kind === 'entity' && done !== undefined && !speaks(done) && !words.some((word) => word.start < auxiliary.index && speaks(word));
}
const WHO_HAN = new RegExp(`(?:谁|哪些人?|哪几[个位]|哪[个位]|什么人|多少人?|几个人?)(?:都)?是$|有(?:哪些|(?:哪几|几)${MEASURES_HAN}|多少${MEASURES_HAN}?)$`, 'u');
const WHO_BEHIND_HAN = /^(?:都?有|是)(?:哪些|谁|哪几[个位]|多少[个位]?|几[个位])人?[\s?？。]*$/u;
/** "Who is a physicist?", "谁是物理学家", "物理学家有哪些". */
const asksInstances = (question: Question, name: { readonly start: number; readonly end: number }, kind: Asked | undefined): boolean => {
  const before = question.text.slice(0, name.start);
  if (question.language === 'zh') return WHO_HAN.test(before) || WHO_BEHIND_HAN.test(question.text.slice(name.end)) || (kind !== undefined && /^都?是$/u.test(question.text.slice(kind.word.end, name.start)));
  // "Which painters are Dutch?"
  return /^who\b/i.test(question.text) || (kind !== undefined && kind.word.end <= name.start && /^\s+(?:is|are|was|were)\s+(?:an?\s+)?$/i.test(before.slice(kind.word.end)));
};
/** What has the quality is not known to be other than persons: "Who is Europe?" asks for no countries. */
async function areSaidOf(graph: QuestionGraph, base: BaseName, quality: Term, path: Path): Promise<boolean> {
  const ends = (await graph.follow(base, quality, path, { limit: REACHED })).flatMap(({ end }) => (end.kind === 'entity' ? [end.id] : []));
  return arePersons(await graph.entities(base, ends));
}
async function isClassName(graph: QuestionGraph, base: BaseName, names: readonly string[], relations: readonly Relation[]): Promise<boolean> {
  const classes = classPath(relations);
  for (const { entity: { id } } of [...(await graph.named(base, names)).values()].flat())
    if ((await graph.paths(base, entity(id), { hops: 1 })).some(({ path: [{ relation, inverse }] }) => inverse && classes.includes(relation))) return true;
  return false;
}
const classPath = (relations: readonly Relation[]): readonly RelationName[] => relations.filter(isClass).map(({ name }) => name);

/** Of nearly equal paths, those that reach what the question word asks for: times for "when", and no times for "who" and "where". */
async function byEnds<T extends { readonly candidate: Candidate; readonly evidence: number; readonly astray: boolean }>(graph: QuestionGraph, base: BaseName, question: Question, ranked: readonly T[], isTold: (candidate: Candidate) => boolean, isSure: (candidate: Candidate) => boolean): Promise<readonly T[]> {
  const time = question.expected === 'time';
  const close = ranked.filter(({ candidate }) => candidate.score >= ranked[0].candidate.score - (time ? CLOSE_TIMES : CLOSE));
  if (question.expected === 'any') return ranked;
  const scored: { one: T; score: number; fits: boolean }[] = [];
  for (const one of close) {
    const ends = (await graph.follow(base, one.candidate.start, one.candidate.path, { limit: REACHED })).map(({ end }) => end);
    // A number may be a time where the words say what the relation does: the rent is none when a contract began.
    const isThen = (end: Term): boolean => isTime(end) && !(time && end.kind === 'literal' && end.type === 'number' && !isSure(one.candidate));
    const fits = ends.filter(isThen).length > ends.length / 2 === time;
    scored.push({ one, fits, score: one.candidate.score + (time ? EXPECTED_TIME : 0) });
  }
  const best = scored.filter(({ fits }) => fits).sort((a, b) => b.score - a.score);
  // That it reaches a time speaks for a path, too.
  return [...best.map(({ one }) => (time && isTold(one.candidate) ? { ...one, evidence: one.evidence + WHEN, astray: false } : one)), ...ranked.slice(close.length)];
}
const isTime = (term: Term): boolean => (term.kind === 'literal' && (term.type === 'date' || term.type === 'number')) || /^-?\d{3,4}(?:-\d\d(?:-\d\d)?)?$/.test(termText(term)) || WRITTEN_TIME.test(termText(term));
/** "Monday", "March 2024", "9:30", "星期一": times as they are written in words. */
const WRITTEN_TIME = /^(?:on\s+|in\s+|every\s+)?(?:(?:mon|tues|wednes|thurs|fri|satur|sun)days?|(?:\d{1,2}(?:st|nd|rd|th)?\s+)?(?:january|february|march|april|may|june|july|august|september|october|november|december)(?:\s+\d{1,2}(?:st|nd|rd|th)?)?(?:,?\s+\d{4})?|(?:spring|summer|autumn|winter)(?:\s+(?:of\s+)?\d{4})?|\d{1,2}[:.]\d\d(?:\s*[ap]\.?m\.?)?|\d{1,2}\s*[ap]\.?m\.?|(?:星期|周)[一二三四五六日天]|\d{4}年(?:\d{1,2}月)?(?:\d{1,2}日)?)$/iu;
