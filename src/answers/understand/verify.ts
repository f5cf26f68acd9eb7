// Owns reading a yes/no question: which triples it asks about, all of which have to hold, and when it asks for more than triples say.
// Refuses to know whether they hold, how names are found, and how relation paths are searched.

import { entity, literal, sameTerm, termText } from '../../../graph/terms.ts';
import type { BaseName, Relation, RelationName, Term, Triple } from '../../../graph/terms.ts';
import type { RelationSummary } from '../../../graph/store.ts';
import { relationText } from '../words/evidence.ts';
import { labelShape } from '../words/wording.ts';
import { isClass, isOwning, isSuffering } from './classes.ts';
import type { Word } from './content.ts';
import { direction } from './direction.ts';
import type { Interpretation, QuestionGraph } from './interpretation.ts';
import { WEAK } from './lexicon.ts';
import type { Lexicon } from './lexicon.ts';
import { overlaps } from './link.ts';
import type { Link } from './link.ts';
import { leftOver, narrowsSex } from './narrow.ts';
import type { Question } from './question.ts';
import { PLAIN, Ranker } from './rank.ts';
import { isWithin, timeIn } from './times.ts';
import { thesaurus } from '../thesaurus/thesaurus.ts';

const HAVE = /^\s*(?:(?:have|has|had)\s+(?:(?:an?|the)\s+)?|有(?:没有)?)$/i;
const DOES = /\b(?:do|does|did)(?:n['’]t)?\s+(?:the\s+)?(?:[\p{L}\s]+\s+(?:of|in|at|by|from)\s+(?:the\s+)?)?$/iu;
/** Relations that may give a value, looked at in the order of how plainly they are spoken of. */
const VALUED = 8;

export async function verification(
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
  // "Is there a doctor at X?" asks for somebody who is not named.
  if (second && question.tokens.some(({ lower, start }) => lower === 'there' && start < first.start)) return unclear;
  if (words.length === 0 && second && HAVE.test(question.text.slice(first.end, second.start))) {
    const owned = await ownedBy(graph, base, first, second, relations);
    return owned ? { candidates: [{ start: entity(first.entity.id), path: [{ relation: owned.relation, inverse: false }], score: 1, targets: [owned] }], confident: true } : unclear;
  }
  if (second && said.length > words.length) return unclear;
  if (words.length === 0 && second) {
    // "Is X a white swan?": every quality has to hold.
    const qualities = [second, ...more];
    const together = more.every((other, i) => /^\s*的?\s*$/u.test(question.text.slice(qualities[i].end, other.start)));
    const held: Triple[] = [];
    for (const quality of together ? qualities : []) {
      const attribute = await attributeOf(graph, base, question, first, quality, relations, more.length === 0, second);
      if (attribute) held.push(attribute);
    }
    if (held.length < qualities.length && more.length > 0) return unclear;
    if (held.length > 0) return { candidates: [{ start: entity(first.entity.id), path: [{ relation: held[0].relation, inverse: false }], score: 1, targets: held }], confident: true };
  }
  // "Is X by Y?": what nothing is said to be.
  if (words.length === 0 && second && /^(?:by|in|on|at|with|for|from)\b/i.test(question.text.slice(first.end, second.start).trim())) return unclear;
  const ranked = (words.length === 0 ? classes : relations)
    .map((relation) => ({ relation, ranked: ranker.score([{ relation: relation.name, inverse: false }]) }))
    .filter(({ relation, ranked: { evidence } }) => words.length === 0 || (evidence >= WEAK && words.some((each) => lexicon.match(question, each, relation.name).sure)))
    .sort((a, b) => b.ranked.score - a.ranked.score);
  const [best] = ranked;
  const clear = best !== undefined && (words.length === 0 || best.ranked.evidence >= PLAIN);
  if (!best || best.ranked.astray || ranker.strangers.length > 0 || question.fellow.length > 0) return unclear;
  const { name } = best.relation;
  const word = words.findLast((_, i) => ranker.matches(name)[i] === Math.max(...ranker.matches(name)));
  // "Did X borrow money from Y?": who lends deals with money, too, but what is asked about is what the verb says.
  const verbs = second && DOES.test(question.text.slice(0, first.start)) ? words.filter(({ text, start, end }) => start >= first.end && end <= second.start && !text.endsWith('ly') && thesaurus().lemmas(text).some((base) => thesaurus().is(base, 'v'))) : [];
  if (verbs.length > 0 && !verbs.some((each) => lexicon.match(question, each, name).sure)) return unclear;
  const speaksOf = (relation: RelationName) => (each: Word): boolean => lexicon.match(question, each, relation).value >= WEAK;
  if (second && leftOver(question, words, second.end, speaksOf(name))) return unclear;
  if (narrowsSex(words, speaksOf(name), (each) => lexicon.match(question, each, name).sure)) return unclear;
  // "A student of X's student", "the only student": more than one triple says.
  const latin = words.filter((each) => /^\p{Script=Latin}/u.test(each.text) && speaksOf(name)(each));
  if (second && latin.some(({ start }) => start >= second.end) && latin.some(({ end }) => end <= second.start)) return unclear;
  if (/\b(?:only|alone|solely|exclusively)\b/i.test(question.text) && second && words.some(({ text }) => text === 'only' || text === 'alone')) return unclear;
  // "In Ulm, Germany": a name behind a comma only has to be one that the graph joins to the name before it.
  for (const [i, other] of more.entries()) if (!(await isApposition(graph, base, question, more[i - 1] ?? second, other))) return unclear;
  const candidate = (start: Term, inverse: boolean, target: Triple): Pick<Interpretation, 'candidates' | 'confident'> => ({
    candidates: [{ start, path: [{ relation: name, inverse }], score: best.ranked.score, targets: [target] }],
    confident: true,
  });
  if (second && clear) {
    // "Is the teacher of X mortal?" asks about somebody who is only described.
    if (word !== undefined && word.end <= first.start && question.text.slice(first.end, second.start).trim() === '' && (second.text === second.text.toLowerCase() || (await isQuality(graph, base, second, name)))) return unclear;
    const turned = word !== undefined && isTurned(question, word, first, second, ranker.label(name, word));
    const [subject, object] = turned ? [second, first] : [first, second];
    if (await isOnlyClass(graph, base, question, object, name, classes)) return unclear;
    return candidate(entity(subject.entity.id), false, { subject: subject.entity.id, relation: name, object: entity(object.entity.id) });
  }
  // "Was X born in 1879?": the other side is a value that some plainly spoken relation gives.
  const start = entity(first.entity.id);
  const time = timeIn(question, links);
  for (const { relation } of ranked.slice(0, VALUED))
    for (const inverse of [false, true])
      for (const { end } of await graph.follow(base, start, [{ relation: relation.name, inverse }])) {
        const isThen = time !== undefined && isWithin(end, time);
        const whole = termText(end).length >= 2 && question.text.toLowerCase().includes(termText(end).toLowerCase());
        // "Born in 1879" of a whole date.
        if (!whole && !isThen) continue;
        const beside = said.filter(({ text, start: at, end: to }) => !(isThen && time.start <= at && to <= time.end) && !termText(end).toLowerCase().includes(text));
        if (beside.some((each) => !words.includes(each)) || leftOver(question, beside, Infinity, speaksOf(relation.name))) return unclear;
        const target = inverse && end.kind === 'entity' ? { subject: end.id, relation: relation.name, object: start } : { subject: first.entity.id, relation: relation.name, object: end };
        return { candidates: [{ start, path: [{ relation: relation.name, inverse }], score: best.ranked.score, targets: [target] }], confident: true };
      }
  const number = question.tokens.find(({ text, start: at, end }) => /^\d+(?:\.\d+)?$/.test(text) && overlaps(links)(at, end));
  if (!number || leftOver(question, words, Infinity, speaksOf(name)) || said.length - words.length !== 1) return unclear;
  // Only a relation that gives values can give another one than this.
  const valued = ranked.find(({ relation, ranked: { evidence } }) => relation.literals > 0 && (words.length === 0 || evidence >= PLAIN))?.relation.name;
  const held = valued === undefined ? [] : await graph.follow(base, start, [{ relation: valued, inverse: false }]);
  return valued === undefined || held.some(({ end }) => end.kind === 'literal' && end.type !== 'number') ? unclear : { candidates: [{ start, path: [{ relation: valued, inverse: false }], score: best.ranked.score, targets: [{ subject: first.entity.id, relation: valued, object: literal(Number(number.text)) }] }], confident: true };
}

/** "Does X have Y?" for "has diagnosis": what X has, if one relation alone says so. */
async function ownedBy(graph: QuestionGraph, base: BaseName, first: Link, second: Link, relations: readonly Relation[]): Promise<Triple | undefined> {
  const object = entity(second.entity.id);
  const owned: Triple[] = [];
  for (const { name } of relations.filter((relation) => isOwning(relation) || isSuffering(relation, second.entity)))
    if ((await graph.follow(base, entity(first.entity.id), [{ relation: name, inverse: false }])).some(({ end }) => sameTerm(end, object))) owned.push({ subject: first.entity.id, relation: name, object });
  return owned.length === 1 ? owned[0] : undefined;
}

/** "Is the capital of Germany a city?": what is said to be of a kind is only described, and does not stand in the relation to the kind. */
async function isOnlyClass(graph: QuestionGraph, base: BaseName, question: Question, { entity: { id }, start }: Link, relation: RelationName, classes: readonly Relation[]): Promise<boolean> {
  if (classes.some(({ name }) => name === relation)) return false;
  const steps = (await graph.paths(base, entity(id), { hops: 1 })).flatMap(({ path: [step] }) => (step.inverse ? [step.relation] : []));
  const isKind = /\ban?\s+$/i.test(question.text.slice(0, start)) || classes.some(({ name }) => steps.includes(name));
  return isKind && !steps.includes(relation);
}

/** "Bulgarian": what the graph speaks of only as what others are, by another relation than this. */
async function isQuality(graph: QuestionGraph, base: BaseName, { entity: { id } }: Link, relation: RelationName): Promise<boolean> {
  const steps = (await graph.paths(base, entity(id), { hops: 1 })).map(({ path: [step] }) => step);
  return steps.length > 0 && steps.every((step) => step.inverse && step.relation !== relation && labelShape(relationText(step.relation)).kind === 'noun');
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
 * "Is X red?", "Is X a painter?", "Is X in Y?" (for "located in", "in language"): the quality that X is said to have, whatever relation says so, or the one relation that
 * says it of others where it is asked for `alone`. Undefined when none does, or when more is asked than that.
 */
async function attributeOf(graph: QuestionGraph, base: BaseName, question: Question, first: Link, second: Link, relations: readonly Relation[], alone: boolean, before: Link): Promise<Triple | undefined> {
  // "It is true that X is in Y" has its verb behind the name.
  const between = question.text.slice(first.end, before.start).trim().toLowerCase().replace(/^(?:is|was|are|were)\b\s*/, '').replace(/(?<=\w)\s+the$/, '');
  const article = /^(?:an?|the|是|为)?$/.test(between);
  if (!article && !/^(?:in|on|at|of|from|for|with)$/.test(between)) return undefined;
  const fits = (relation: Relation): boolean => {
    if (!article) return isPlacing(relation, between);
    return isClass(relation) || /^(?:is|are)$/i.test(relation.name) || labelShape(relationText(relation.name)).kind === 'noun';
  };
  const fitting = relations.filter(fits);
  const target = (relation: RelationName): Triple => ({ subject: first.entity.id, relation, object: entity(second.entity.id) });
  const start = entity(first.entity.id);
  for (const { name } of fitting) if ((await graph.follow(base, start, [{ relation: name, inverse: false }])).some(({ end }) => end.kind === 'entity' && end.id === second.entity.id)) return target(name);
  if (!article) return fitting.length === 1 ? target(fitting[0].name) : undefined;
  if (!alone) return undefined;
  // "Is X Danish?" asks for the nationality where that is what the graph calls Danish.
  const steps = (await graph.paths(base, entity(second.entity.id), { hops: 1 })).flatMap(({ path: [step] }) => (step.inverse ? [step.relation] : []));
  const [only, another] = fitting.filter(({ name }) => steps.includes(name));
  return only !== undefined && another === undefined ? target(only.name) : undefined;
}
const PLACING_HAN = /^(?:位于|位在|坐落于|坐落在|地处|处于|在)$/u;
/** Whether "X is in Y" says it, for the preposition "in": "located in", "based in", "in country". Chinese needs none. */
export function isPlacing({ name, aliases }: Relation, preposition: string): boolean {
  if (preposition === '') return [name as string, ...aliases.map(({ text }) => text)].some((label) => PLACING_HAN.test(label));
  const label = relationText(name).toLowerCase();
  const shape = labelShape(label);
  const words = label.split(/\s+/);
  return shape.kind === 'noun' ? words[0] === preposition : shape.kind === 'copula' && shape.verb === 'is' && words.length === 2 && words[1] === preposition;
}

/** Whether the second name is the triple's subject, by grammar: "Did Ford direct X" for "directed by", "Was X taught by Y" for "teaches", "X是Y的首都吗". */
function isTurned(question: Question, word: Word, first: Link, second: Link, label: string): boolean {
  if (/\p{Script=Han}/u.test(label)) return word.start >= second.end && /^\s*的/.test(question.text.slice(second.end, word.start));
  const said = direction(question, word, first, label) || -direction(question, word, second, label);
  return said < 0;
}
