// Owns the mechanical translation of AbductionRules' English into the rule language (Young et al., ACL Findings 2022): sentence by sentence, by form alone.
// Refuses to guess: a sentence of no known form is an error.

import { readFileSync } from 'node:fs';
import type { KnowledgeGraph } from '../../graph/knowledge.ts';
import { DEFAULT_BASE, entity, parseEntityId, parseRelationName, tripleKey } from '../../graph/terms.ts';
import type { Triple } from '../../graph/terms.ts';
import { ruleToJson } from '../../graph/reason/language/json.ts';
import { IS_A, makeRule } from '../../graph/reason/language/print.ts';
import type { Atom, Rule, RuleTerm } from '../../graph/reason/types.ts';

export interface AbductionCase {
  readonly id: string;
  readonly facts: readonly Triple[];
  readonly rules: readonly Rule[];
  readonly questions: readonly {
    readonly id: string;
    /** What is said to be so, or not to be so. */
    readonly observed: Triple;
    /** The fact that was left out. Of an observation "X is not p" it is the fact that would show that X is p. */
    readonly missing: Triple;
  }[];
}
const X: RuleTerm = { kind: 'variable', name: 'x' };
const thing = (text: string): string => text.trim().replace(/^the /iu, '').toLowerCase();
/** `is [not] adjective`, `are adjective`, or `verb(s) the noun`. */
function predicate(text: string, subject: RuleTerm): Atom {
  const state = /^(?:is|are) (not )?(?:also )?([a-z]+)$/u.exec(text.trim());
  if (state) return { relation: parseRelationName(IS_A), subject, object: entity(parseEntityId(state[2])), ...(state[1] ? { negated: true } : {}) };
  const action = /^([a-z]+?)s? (the [a-z ]+)$/u.exec(text.trim());
  if (!action) throw new TypeError(`no form of a predicate is ${JSON.stringify(text)}`);
  return { relation: parseRelationName(action[1]), subject, object: entity(parseEntityId(thing(action[2]))) };
}
/** `The bald eagle is kind.`, `Bob is kind.`, `The lion chases the dog.` */
function fact(text: string): Triple {
  const match = /^((?:The [a-z ]+?)|[A-Z][a-z]+) ((?:is|chases|likes|sees|visits|needs|attacks|eats) .+)\.$/u.exec(text);
  if (!match) throw new TypeError(`no form of a fact is ${JSON.stringify(text)}`);
  const { subject, ...rest } = predicate(match[2], entity(parseEntityId(thing(match[1]))));
  if (subject.kind !== 'entity') throw new TypeError('a fact has a subject');
  return { ...rest, subject: subject.id, object: rest.object as Triple['object'] };
}
/** `If a person is tiny, is smart, and is strong, then that person is also dull.`, `[All] things that are big, are awful, and are heavy, are fierce.` */
function rule(text: string): Rule {
  const body = text
    .replace(/\.$/u, '')
    .replace(/^If (?:an animal|a person|something) /u, '')
    .replace(/^(?:All )?(?:animals|people|things) that /iu, '');
  const parts = body.split(/, (?:and )?/u).map((part) => part.replace(/^then /u, '').replace(/^(?:it|that person) /u, ''));
  const atoms = parts.map((part) => predicate(part, X));
  return makeRule({ heads: atoms.slice(-1), body: atoms.slice(0, -1) });
}

interface CaseJson {
  readonly id: string;
  readonly context: string;
  readonly questions: readonly { readonly id: string; readonly text: string; readonly label: string }[];
}
export const translate = ({ id, context, questions }: CaseJson): AbductionCase => {
  const sentences = context.trim().split(/(?<=\.) /u);
  const isRule = (sentence: string): boolean => sentence.includes(', ');
  return {
    id,
    facts: sentences.filter((sentence) => !isRule(sentence)).map(fact),
    rules: sentences.filter(isRule).map(rule),
    questions: questions.map((question) => ({ id: question.id, observed: fact(question.text), missing: fact(question.label) })),
  };
};
/** Cases of one file, a JSON object a line. */
export const readCases = (path: string): AbductionCase[] =>
  readFileSync(path, 'utf8')
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => translate(JSON.parse(line) as CaseJson));

/** Asks each question without saying what may be assumed: how often the missing fact is the first explanation. "X is not p" asks what would show that X is p. */
export async function missingFirst(
  graph: KnowledgeGraph,
  cases: readonly AbductionCase[],
): Promise<{ readonly asked: number; readonly first: number; readonly misses: readonly string[] }> {
  let [asked, first] = [0, 0];
  const misses: string[] = [];
  for (const { facts, rules, questions } of cases)
    for (const { id, observed, missing } of questions) {
      const { explanations } = await graph.abduce(DEFAULT_BASE, {
        observations: [{ relation: observed.relation, subject: entity(observed.subject), object: observed.object }],
        facts,
        rules: rules.map(ruleToJson),
        budget: { explanations: 20, size: 1, nodes: 100_000, ms: 10_000, facts: 100_000, depth: 1_000 },
      });
      asked++;
      const [best] = explanations;
      if (best?.assume.length === 1 && tripleKey(best.assume[0]) === tripleKey(missing)) first++;
      else misses.push(id);
    }
  return { asked, first, misses };
}
