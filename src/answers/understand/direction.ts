// Owns which side of a relation a name stands on, by the grammar of the question and of the relation's label: who does, who undergoes, whose.
// Refuses to know how paths are scored. 0 means that grammar does not say; then either side may be meant.

import { relationText } from '../words/evidence.ts';
import { labelShapeZh } from '../words/grammar.ts';
import { labelShape } from '../words/wording.ts';
import type { Question } from './question.ts';
import type { Word } from './content.ts';
import { thesaurus } from '../thesaurus/thesaurus.ts';

interface Span {
  readonly start: number;
  readonly end: number;
}
/**
 * What the name is to the word that speaks of the relation: it does it (`agent`), it undergoes it (`patient`), the question is for its N (`whole`: "the N of X", "X's N"),
 * it is itself the N (`bearer`: "X is the N of ..."), or a preposition leads to it.
 */
type Role = { readonly kind: 'agent' | 'patient' | 'whole' | 'bearer' } | { readonly kind: 'joined'; readonly preposition: string } | undefined;

const BE = /\b(?:is|was|are|were|be|been|being|isn't|wasn't|aren't|weren't)\b/i;
const DO = /\b(?:do|does|did|doesn't|don't|didn't)\b/i;
const JOINED = /^\s*(of|in|at|by|from|to|for|with|on|as|under|near|after)\s+(?:(?:the|an?)\s+)?(?:[\p{Ll}]+\s+)?$/u;
const WHOSE = /\bwhose\s+(?:\p{Ll}+\s+)?$/iu;
const HAN = /\p{Script=Han}/u;

/** Whether the word, as written, can only be a noun or only a verb form. */
function partOf(word: Word): 'noun' | 'verb' | 'any' {
  if (word.part !== 'any') return word.part;
  const words = thesaurus();
  const isNoun = words.is(word.text, 'n') || (word.text.endsWith('s') && words.lemmas(word.text).some((base) => base !== word.text && words.is(base, 'n')));
  const isVerb = words.lemmas(word.text).some((base) => words.is(base, 'v'));
  return isNoun === isVerb ? 'any' : isNoun ? 'noun' : 'verb';
}

function roleOf(question: Question, word: Word, name: Span): Role {
  const { text } = question;
  const part = partOf(word);
  const participle = /(?:ed|en|wn|ght|ung|ade|eld|ost|orn|old|ilt|ept|ead|et)$/.test(word.text) && thesaurus().lemmas(word.text).some((base) => thesaurus().is(base, 'v'));
  if (word.end <= name.start) {
    const between = text.slice(word.end, name.start);
    // "How many students did Plato have?"
    if (word.asked && (/^\s+(?:has|have|had)\s+$/i.test(between) || (/^\s+(?:do|does|did)\s+$/i.test(between) && /^\s+(?:have|has|had)\b/i.test(text.slice(name.end))))) return { kind: 'whole' };
    // "Whose teacher is X" asks for those whose N is X.
    if (part !== 'verb' && WHOSE.test(text.slice(0, word.start)) && BE.test(between)) return { kind: 'bearer' };
    const preposition = JOINED.exec(between)?.[1];
    if (preposition === 'by') return { kind: 'agent' };
    if (preposition === 'of') return part === 'verb' ? undefined : { kind: 'whole' };
    if (preposition !== undefined) return { kind: 'joined', preposition };
    // "who directed the film X", "the director X".
    if (/^\s*(?:(?:the|an?)\s+)?(?:\p{Ll}+\s+)?$/u.test(between)) return part === 'noun' ? (/\p{Ll}/u.test(between) ? undefined : { kind: 'bearer' }) : part === 'verb' || /\bwh(?:o|om|at|ich)\b/i.test(text.slice(0, word.start)) ? { kind: 'patient' } : undefined;
    return undefined;
  }
  const between = text.slice(name.end, word.start);
  const before = text.slice(0, name.start);
  const after = text.slice(word.end);
  // "Who did X have as a teacher?"
  if (part !== 'verb' && /\bdid\s+$|\bdo(?:es)?\s+$/i.test(before) && /^\s+(?:have|get)\s+as\s+(?:an?\s+|the\s+|his\s+|her\s+|its\s+)?$/i.test(between)) return { kind: 'whole' };
  if (/^\s*['’]s?\s+(?:\p{Ll}+\s+)?$/u.test(between)) return part === 'verb' ? undefined : { kind: 'whole' };
  const aux = BE.test(between) ? 'be' : DO.test(before) && !BE.test(between) ? 'do' : BE.test(before) && between.trim().split(/\s+/).length <= 3 ? 'be' : undefined;
  if (part !== 'verb' && aux === 'be' && (/\b(?:the|an?|one of the)\s+(?:\p{Ll}+\s+)?$/iu.test(between) || (part === 'noun' && /^\s*of\b/i.test(after)))) return { kind: 'bearer' };
  if (aux === 'be' && participle) return /^\s*by\b/i.test(after) || /^\s*by\s+wh/i.test(text.trim()) ? { kind: 'patient' } : undefined;
  if (part === 'noun') return /^\s+$/.test(between) ? { kind: 'whole' } : undefined;
  return aux === 'be' ? undefined : { kind: 'agent' };
}

const AGENT_HAN = /^(?:员|人|者|师|方|商)$/u;
/** "饲养" of 饲养员. */
const isDeedOf = (word: string, label: string): boolean => label.startsWith(word) && AGENT_HAN.test(label.slice(word.length));
/** +1: the name is the relation's subject, -1: its object, 0: not said. `label`: the name or alias by which the word speaks of the relation. */
export function direction(question: Question, word: Word, name: Span, label: string): number {
  // Chinese: "X的L", "X L..." ask for the object, "L X" for the subject: a Chinese label names the object, or is a verb.
  // "X是谁的L": X is the L.
  if (HAN.test(label)) {
    const behind = word.end <= name.start;
    // "谁负责X" of 负责人: who does it is the object, as whom 饲养员 names.
    if (isDeedOf(word.text, label)) return behind || /[由被]/u.test(question.text.slice(name.end, word.start)) ? 1 : -1;
    // "X由谁负责": who does it is asked.
    if (!behind && /[由被]谁/u.test(question.text.slice(name.end, word.start))) return labelShapeZh(label).kind === 'verb' ? -1 : 1;
    // "谁对X过敏": what it is to.
    return behind || /[对向]\s*$/u.test(question.text.slice(0, name.start)) || /^\s*[是为].*的$/u.test(question.text.slice(name.end, word.start)) ? -1 : 1;
  }
  const role = roleOf(question, word, name);
  const shape = labelShape(relationText(label));
  const words = relationText(label).toLowerCase().split(/\s+/);
  const last = words[words.length - 1];
  const before = word.end <= name.start;
  switch (shape.kind) {
    case 'class':
      return 0;
    case 'verb': {
      // The subject does it.
      const preposition = words.length > 1 ? last : undefined;
      if (role?.kind === 'joined') return role.preposition === preposition ? -1 : 0;
      if (role?.kind === 'agent' || role?.kind === 'bearer') return 1;
      if (role?.kind === 'patient') return -1;
      return role?.kind === 'whole' ? (/(?:ee|ees)$/.test(word.text) ? 1 : /(?:er|or|ers|ors|ist|ists)$/.test(word.text) ? -1 : 0) : 0;
    }
    case 'copula':
      if (last === 'by') {
        // The object does it.
        if (role?.kind === 'agent' || role?.kind === 'bearer') return -1;
        return role?.kind === 'patient' || role?.kind === 'whole' ? 1 : 0;
      }
      if (last === 'of') {
        // The subject is the N of the object, and does what an N does.
        if (role?.kind === 'whole' || role?.kind === 'patient') return -1;
        return role?.kind === 'bearer' || role?.kind === 'agent' ? 1 : 0;
      }
      if (role?.kind === 'joined') return role.preposition === last ? -1 : 0;
      return before ? 0 : 1;
    case 'noun': {
      // "Supervises" is no noun.
      if (words.length === 1 && thesaurus().isOnlyVerb(last) && (role?.kind === 'agent' || role?.kind === 'patient')) return role.kind === 'agent' ? 1 : -1;
      // "Partner at": the subject is one there.
      if (words.length > 1 && /^(?:at|in|on|to|for|with|from|under)$/.test(last) && thesaurus().isKind(words[words.length - 2], 'person')) {
        if (role?.kind === 'joined') return role.preposition === last ? -1 : 0;
        return role?.kind === 'whole' || role?.kind === 'patient' ? -1 : role ? 1 : 0;
      }
      // The object is the N of the subject.
      if (role?.kind === 'whole') return 1;
      if (role?.kind === 'bearer') return -1;
      const head = words.findLast((each) => /^\p{L}+$/u.test(each)) ?? last;
      const speaksOfHead = thesaurus().similarity(head, word.text) >= thesaurus().similarity(words[0], word.text) && /(?:er|or|ers|ors|ist|ists)$/.test(head);
      if (!speaksOfHead) return 0;
      return role?.kind === 'agent' ? -1 : role?.kind === 'patient' ? 1 : 0;
    }
    default:
      return shape satisfies never;
  }
}
