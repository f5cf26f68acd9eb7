// Owns the mechanical translation of ProofWriter's sentences into the rule language: facts and rules, with "not" as what is known to be false.
// Refuses to know what follows from them.

import { parseGoal } from '../../graph/reason/language/parse.ts';
import type { Atom } from '../../graph/reason/types.ts';

export interface ProofWriterCase {
  readonly id: string;
  readonly context: string;
  readonly question: string;
  /** A: true, B: false, C: unknown. */
  readonly answer: string;
}

const VERBS = ['chase', 'eat', 'like', 'need', 'see', 'visit'];
const VERB = new RegExp(`^(.*?) (?:(does not|do not) (${VERBS.join('|')})|(${VERBS.join('|')})s?) (.*)$`, 'u');
const ANYTHING = new Set(['something', 'someone', 'it', 'they']);

const quoted = (name: string): string => `"${name}"`;
/** `the bald eagle` is an entity; `something` and what refers to it is the rule's variable. */
function thing(text: string): string {
  const name = text.replace(/^the /u, '').trim();
  return ANYTHING.has(name) ? '?x' : quoted(name);
}
const isA = (subject: string, attribute: string): string => {
  const denied = attribute.startsWith('not ');
  return `${denied ? '-' : ''}${quoted(denied ? attribute.slice(4) : attribute)}(${subject})`;
};
/** `the cat is not cold`, `they eat the cow`; after "and", an attribute alone is about the subject before. */
function statement(text: string, before: string): { readonly atom: string; readonly subject: string } {
  const attribute = /^(.*?) (?:is|are) (.*)$/u.exec(text);
  if (attribute) return { atom: isA(thing(attribute[1]), attribute[2]), subject: thing(attribute[1]) };
  const verb = VERB.exec(text);
  if (!verb) return { atom: isA(before, text), subject: before };
  const subject = thing(verb[1]);
  return { atom: `${verb[2] ? '-' : ''}${quoted(verb[3] ?? verb[4])}(${subject}, ${thing(verb[5])})`, subject };
}
function conjunction(text: string): string {
  let subject = '';
  return text
    .split(' and ')
    .map((part) => {
      const read = statement(part, subject);
      ({ subject } = read);
      return read.atom;
    })
    .join(', ');
}

function clause(sentence: string): string {
  const text = sentence.replace(/\.$/u, '').toLowerCase();
  const conditional = /^if (.*) then (.*)$/u.exec(text);
  if (conditional) return `${conjunction(conditional[2])} :- ${conjunction(conditional[1])}.`;
  const general = /^(?:all )?(.*) (?:things|people) are (.*)$/u.exec(text);
  if (general) {
    const conditions = general[1].split(', ').map((attribute) => isA('?x', attribute));
    return `${isA('?x', general[2])} :- ${conditions.join(', ')}.`;
  }
  return `${statement(text, '').atom}.`;
}

/** Facts and rules of a case. */
export const proofWriterRules = ({ context }: ProofWriterCase): string =>
  context
    .trim()
    .split(/(?<=\.)\s+/u)
    .map(clause)
    .join('\n');
/** The statement that is asked about. */
export const proofWriterGoal = ({ question }: ProofWriterCase): Atom =>
  parseGoal(statement(question.split('? ')[1].trim().replace(/\.$/u, '').toLowerCase(), '').atom);
