// Owns understanding a question against a graph: which entities it names, which relation path or triple it asks about, and how sure that is.
// Refuses to know what the answer is, wording and the model. No question template is written down here: grammar words, the graph's own names and a thesaurus decide.

import { entity, literal, termText } from '../../../graph/terms.ts';
import type { BaseName, Relation, RelationName, Term, Triple } from '../../../graph/terms.ts';
import type { RelationSummary } from '../../../graph/store.ts';
import { labelShape } from '../words/wording.ts';
import { fitsClass, isClass } from './classes.ts';
import { direction } from './direction.ts';
import type { Candidate, Interpretation, QuestionGraph } from './interpretation.ts';
import { contentWords, isUnknown, Lexicon, singleHan, unknownHan, WEAK } from './lexicon.ts';
import type { Word } from './lexicon.ts';
import { exactLinks, misspeltLinks } from './link.ts';
import type { Link } from './link.ts';
import { besideName, leftOver, pickedOut } from './narrow.ts';
import { analyse, isFellowWord, isFunctionWord } from './question.ts';
import type { Question, Token } from './question.ts';
import { CERTAIN, CLEAR, PLAIN, Ranker } from './rank.ts';

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

const overlaps = (links: readonly { readonly start: number; readonly end: number }[]) => (start: number, end: number): boolean => links.every((link) => end <= link.start || link.end <= start);

export async function understand(graph: QuestionGraph, text: string, { base, hops }: { readonly base: BaseName; readonly hops: number }): Promise<Interpretation> {
  const unnamed = analyse(text);
  const relations = await graph.relations(base);
  const lexicon = await Lexicon.of(relations);
  const names = relations.map(({ name }) => name);
  const speaks = (word: string): boolean => names.some((name) => lexicon.match(unnamed, { text: word, start: 0, end: 0, part: 'any', asked: false, relational: false }, name).value >= 0.6);
  let links = withoutWords(await exactLinks(graph, base, unnamed), speaks);
  if (links.length === 0) links = await misspeltLinks(graph, base, unnamed, ({ lower, han }) => !han && speaks(lower));
  // Beside names as written there may be one that is not: a word that no dictionary has.
  else if (unnamed.tokens.some((token) => isStrange(token, links, speaks)))
    links = [...links, ...(await misspeltLinks(graph, base, unnamed, () => false, (token) => isStrange(token, links, speaks)))].toSorted((a, b) => a.start - b.start || b.score - a.score);
  const question = analyse(text, links);
  const outside = overlaps(links);
  const han = lexicon.hanWords(question, outside);
  const free = (start: number, end: number): boolean => outside(start, end) && overlaps(han)(start, end);
  const told = [...contentWords(question, outside), ...han, ...unknownHan(question, free)];
  // A verb of one character keeps a question from being a bare "what is X", and is not left out beside other words.
  const words = [...told, ...singleHan(question, free).filter(({ relational }) => relational || told.length === 0)].sort((a, b) => a.start - b.start);
  const known = { language: question.language, kind: question.kind, links };
  const number = links.length === 0 ? question.tokens.find(({ text: written }) => /^\d+(?:\.\d+)?$/.test(written)) : undefined;
  const labels = relations.flatMap(({ name, aliases }) => [name as string, ...aliases.map(({ text: alias }) => alias)]);
  const narrower = besideName(question, links, speaks, (start, end) => !overlaps(han)(start, end)) || pickedOut(question, links, labels);
  if ((links.length === 0 && !number) || question.beyond || narrower) return { ...known, candidates: [], confident: false };
  if (number) {
    const others = words.filter(({ start }) => start !== number.start);
    return { ...known, ...(await answering(graph, base, hops, question, [{ start: number.start, end: number.end, score: 1, term: literal(Number(number.text)) }], others, lexicon, relations)) };
  }
  const asked = words.find((word) => word.asked)?.text;
  if (question.kind === 'verify') return { ...known, ...(await verification(graph, base, question, links, words, lexicon, relations)) };
  const starts = links.map((link): Start => ({ ...link, term: entity(link.entity.id) }));
  const { candidates, confident } = await answering(graph, base, hops, question, starts, words, lexicon, relations);
  const fits = confident && (await fitsClass(graph, base, question, candidates[0], links, words, lexicon, relations));
  return { ...known, ...(asked === undefined ? {} : { asked }), candidates, confident: fits };
}
const isStrange = ({ lower, start, end, han }: Token, links: readonly Link[], speaks: (word: string) => boolean): boolean =>
  !han && lower.length >= STRANGE && /^\p{Script=Latin}+$/u.test(lower) && !isFunctionWord(lower) && !isFellowWord(lower) && !lower.endsWith('ly') && isUnknown(lower) && overlaps(links)(start, end) && !speaks(lower);

/** A stretch of the question from whose term paths may start. */
interface Start {
  readonly start: number;
  readonly end: number;
  readonly score: number;
  readonly term: Term;
}

/** Lower-case words that speak of a relation ("director") or only look like a name ("together" for "Together") give way to names written as such. */
function withoutWords(links: readonly Link[], speaks: (word: string) => boolean): readonly Link[] {
  const plain = ({ text }: Link): boolean => text === text.toLowerCase() && /^[\p{Script=Latin}\s]+$/u.test(text);
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
): Promise<Pick<Interpretation, 'candidates' | 'confident'>> {
  const found: { candidate: Candidate; evidence: number; strange: boolean; astray: boolean }[] = [];
  for (const from of starts.toSorted((a, b) => b.score - a.score || b.end - b.start - (a.end - a.start)).slice(0, STARTS)) {
    const start = from.term;
    const ranker = new Ranker(question, words, lexicon, relations, from);
    const others = starts.filter((other) => other.end <= from.start || from.end <= other.start);
    // Another name that is surely meant as one narrows the question, which a path from this one does not.
    const narrowed = others.some(({ start: at, end, score }) => score < 1 || /\p{Lu}|\p{Script=Han}/u.test(question.text.slice(at, end)));
    const bare = words.length === 0 ? classPath(relations) : [];
    const paths = (await graph.paths(base, start, { hops })).map(({ path }) => path);
    // A relation between things of one kind can be meant either way, if grammar does not say which.
    const mutual = new Set(paths.flatMap(([first, second]) => (second && first.relation === second.relation && first.inverse === second.inverse ? [first.relation] : [])));
    for (const path of paths) {
      const ranked = ranker.score(path);
      const plain = path.length === 1 && (bare.includes(path[0].relation) || (words.length === 0 && path[0].inverse && labelShape(path[0].relation).kind === 'noun' && /^who\b/i.test(question.text)));
      const evidence = plain ? 1 : ranked.evidence;
      if (evidence === 0 || (!plain && ranked.reversed)) continue;
      const score = (plain ? (path[0].inverse ? 0.5 : 0.6) : ranked.score) + NAME_WEIGHT * from.score - (NAME_LEFT * new Set(others.map((other) => other.start)).size);
      const strange = narrowed || ranker.strangers.length > 0 || (!plain && ranked.undirected && mutual.has(path[0].relation) && ranked.evidence < CERTAIN);
      found.push({ candidate: { start, path, score }, evidence, strange, astray: !plain && ranked.astray });
    }
  }
  found.sort((a, b) => b.candidate.score - a.candidate.score);
  const best = await byEnds(graph, base, question, found.slice(0, CANDIDATES));
  return { candidates: best.map(({ candidate }) => candidate), confident: best.length > 0 && best[0].evidence >= CLEAR && !best[0].strange && !best[0].astray };
}
const classPath = (relations: readonly Relation[]): readonly RelationName[] => relations.filter(isClass).map(({ name }) => name);

/** Of nearly equal paths, those that reach what the question word asks for: times for "when", and no times for "who" and "where". */
async function byEnds<T extends { readonly candidate: Candidate; readonly evidence: number; readonly astray: boolean }>(graph: QuestionGraph, base: BaseName, question: Question, ranked: readonly T[]): Promise<readonly T[]> {
  const time = question.expected === 'time';
  const close = ranked.filter(({ candidate }) => candidate.score >= ranked[0].candidate.score - (time ? CLOSE_TIMES : CLOSE));
  if (question.expected === 'any') return ranked;
  const scored: { one: T; score: number; fits: boolean }[] = [];
  for (const one of close) {
    const ends = (await graph.follow(base, one.candidate.start, one.candidate.path, { limit: REACHED })).map(({ end }) => end);
    const fits = ends.filter(isTime).length > ends.length / 2 === time;
    scored.push({ one, fits, score: one.candidate.score + (time ? EXPECTED_TIME : 0) });
  }
  const best = scored.filter(({ fits }) => fits).sort((a, b) => b.score - a.score);
  // That it reaches a time speaks for a path, too.
  return [...best.map(({ one }) => (time ? { ...one, evidence: one.evidence + WHEN, astray: false } : one)), ...ranked.slice(close.length)];
}
const isTime = (term: Term): boolean => (term.kind === 'literal' && (term.type === 'date' || term.type === 'number')) || /^-?\d{3,4}(?:-\d\d(?:-\d\d)?)?$/.test(termText(term));

async function verification(
  graph: QuestionGraph,
  base: BaseName,
  question: Question,
  links: readonly Link[],
  said: readonly Word[],
  lexicon: Lexicon,
  relations: readonly RelationSummary[],
): Promise<Pick<Interpretation, 'candidates' | 'confident'>> {
  const first = links[0];
  const second = links.find((link) => link.start >= first.end && link.entity.id !== first.entity.id);
  const more = second ? links.filter(({ start }) => start >= second.end) : [];
  const unclear = { candidates: [], confident: false };
  // A number is the other side of the triple, not a word for the relation.
  const words = said.filter(({ text }) => !/^\p{N}/u.test(text));
  const ranker = new Ranker(question, words, lexicon, relations, first);
  const classes = relations.filter(isClass);
  if (second && said.length > words.length) return unclear;
  if (words.length === 0 && second) {
    // "Is X a white swan?": every quality has to hold.
    for (const [i, other] of more.entries()) {
      const held = question.text.slice((more[i - 1] ?? second).end, other.start).trim() === '' && (await attributeOf(graph, base, question, first, other, relations, second));
      if (!held) return unclear;
    }
    const attribute = await attributeOf(graph, base, question, first, second, relations);
    if (!attribute && more.length > 0) return unclear;
    if (attribute) return attribute;
  }
  const ranked = (words.length === 0 ? classes : relations)
    .map((relation) => ({ relation, ranked: ranker.score([{ relation: relation.name, inverse: false }]) }))
    .filter(({ ranked: { evidence } }) => words.length === 0 || evidence >= WEAK)
    .sort((a, b) => b.ranked.score - a.ranked.score);
  const [best] = ranked;
  const clear = best !== undefined && (words.length === 0 || best.ranked.evidence >= PLAIN);
  if (!best || ranker.strangers.length > 0 || question.fellow.length > 0) return unclear;
  const { name } = best.relation;
  const word = words.findLast((_, i) => ranker.matches(name)[i] === Math.max(...ranker.matches(name)));
  const speaksOf = (relation: RelationName) => (each: Word): boolean => lexicon.match(question, each, relation).value >= WEAK;
  if (second && leftOver(question, words, second.end, speaksOf(name))) return unclear;
  // "In Ulm, Germany": a name behind a comma only has to be one that the graph joins to the name before it.
  for (const [i, other] of more.entries()) if (!(await isApposition(graph, base, question, more[i - 1] ?? second, other))) return unclear;
  const candidate = (start: Term, inverse: boolean, target: Triple): Pick<Interpretation, 'candidates' | 'confident'> => ({
    candidates: [{ start, path: [{ relation: name, inverse }], score: best.ranked.score, target }],
    confident: true,
  });
  if (second && clear) {
    // "Is the teacher of X mortal?" asks about somebody who is only described.
    if (word !== undefined && word.end <= first.start && question.text.slice(first.end, second.start).trim() === '' && second.text === second.text.toLowerCase()) return unclear;
    const turned = word !== undefined && isTurned(question, word, first, second, ranker.label(name, word));
    const [subject, object] = turned ? [second, first] : [first, second];
    return candidate(entity(subject.entity.id), false, { subject: subject.entity.id, relation: name, object: entity(object.entity.id) });
  }
  // "Was X born in 1879?": the other side is a value that some plainly spoken relation gives.
  const start = entity(first.entity.id);
  for (const { relation } of ranked.slice(0, CANDIDATES))
    for (const inverse of [false, true])
      for (const { end } of await graph.follow(base, start, [{ relation: relation.name, inverse }])) {
        if (termText(end).length < 2 || !question.text.toLowerCase().includes(termText(end).toLowerCase())) continue;
        const beside = said.filter(({ text }) => !termText(end).toLowerCase().includes(text));
        if (beside.some((each) => !words.includes(each)) || leftOver(question, beside, Infinity, speaksOf(relation.name))) return unclear;
        const target = inverse && end.kind === 'entity' ? { subject: end.id, relation: relation.name, object: start } : { subject: first.entity.id, relation: relation.name, object: end };
        return { candidates: [{ start, path: [{ relation: relation.name, inverse }], score: best.ranked.score, target }], confident: true };
      }
  const number = question.tokens.find(({ text, start: at, end }) => /^\d+(?:\.\d+)?$/.test(text) && overlaps(links)(at, end));
  return number && clear && !leftOver(question, words, Infinity, speaksOf(name)) && said.length - words.length === 1 ? candidate(start, false, { subject: first.entity.id, relation: name, object: literal(Number(number.text)) }) : unclear;
}

/** "Ulm, Germany". */
async function isApposition(graph: QuestionGraph, base: BaseName, question: Question, before: Link | undefined, name: Link): Promise<boolean> {
  if (!before || before.start === name.start) return before !== undefined;
  if (!/^\s*[,，]\s*$/.test(question.text.slice(before.end, name.start))) return false;
  for (const { path } of await graph.paths(base, entity(before.entity.id), { hops: 1 }))
    if ((await graph.follow(base, entity(before.entity.id), path)).some(({ end }) => end.kind === 'entity' && end.id === name.entity.id)) return true;
  return false;
}

/**
 * "Is X red?", "Is X a painter?", "Is X in Y?" (for "located in", "in language"): the quality that X is said to have, whatever relation says so. Undefined when none does, or
 * when more is asked than that.
 */
async function attributeOf(graph: QuestionGraph, base: BaseName, question: Question, first: Link, second: Link, relations: readonly Relation[], before = second): Promise<Pick<Interpretation, 'candidates' | 'confident'> | undefined> {
  const between = question.text.slice(first.end, before.start).trim().toLowerCase();
  const article = /^(?:an?|the|是|为)?$/.test(between);
  if (!article && !/^(?:in|on|at|of|from|for|with)$/.test(between)) return undefined;
  const fits = (relation: Relation): boolean => {
    const shape = labelShape(relation.name);
    if (article) return isClass(relation) || shape.kind === 'noun';
    const words = relation.name.toLowerCase().split(/[\s_]+/);
    return shape.kind === 'noun' ? words[0] === between : shape.kind === 'copula' && shape.verb === 'is' && words.length === 2 && words[1] === between;
  };
  const fitting = relations.filter(fits);
  const target = (relation: RelationName): Pick<Interpretation, 'candidates' | 'confident'> => ({
    candidates: [{ start, path: [{ relation, inverse: false }], score: 1, target: { subject: first.entity.id, relation, object: entity(second.entity.id) } }],
    confident: true,
  });
  const start = entity(first.entity.id);
  for (const { name } of fitting) if ((await graph.follow(base, start, [{ relation: name, inverse: false }])).some(({ end }) => end.kind === 'entity' && end.id === second.entity.id)) return target(name);
  return !article && fitting.length === 1 ? target(fitting[0].name) : undefined;
}

/** Whether the second name is the triple's subject, by grammar: "Did Ford direct X" for "directed by", "Was X taught by Y" for "teaches", "X是Y的首都吗". */
function isTurned(question: Question, word: Word, first: Link, second: Link, label: string): boolean {
  if (/\p{Script=Han}/u.test(label)) return word.start >= second.end && /^\s*的/.test(question.text.slice(second.end, word.start));
  const said = direction(question, word, first, label) || -direction(question, word, second, label);
  return said < 0;
}
