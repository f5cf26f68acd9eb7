// Owns what makes a single rule meaningful: every variable has a value, compared things have an order, sentences name variables.
// Refuses to know how the rule was written down, and what other rules say.

import { bindingOrder, groupOf, innerVariables, isAtom, outerVariables, variablesOf } from './body.ts';
import { checkAggregate, checkComparison, Kinds, variableKinds } from './kinds.ts';
import { isDenial } from './denials.ts';
import { RuleError } from '../errors.ts';
import type { Place } from '../errors.ts';
import { printRule, printRuleTerm } from './print.ts';
import type { RuleParts } from './print.ts';
import type { Aggregate, Atom, BodyItem, Comparison, RuleTerm } from '../types.ts';
import type { ValueKind } from './values.ts';

/** Place of one term of a rule: position 0 is the subject (or left side, or result), 1 the object (or right side, or what stands in braces). */
export type Placer = (part: 'heads' | 'body' | 'say', index: number, position: 0 | 1) => Place;

export const LIMITS = {
  /** Rules in one text or JSON document. */
  rules: 200_000,
  heads: 16,
  /** Conditions of a rule, and of one aggregate. */
  body: 64,
  variables: 64,
  nameCharacters: 200,
  sayCharacters: 1_000,
} as const;

const PLACEHOLDER = /\{([^{}]*)\}/gu;
/** Variables that a `say` sentence mentions. */
export const sayVariables = (say: string): string[] => [...say.matchAll(PLACEHOLDER)].map((match) => match[1]);

const NONE: ReadonlySet<string> = new Set();
type Code = 'unsafe' | 'type' | 'invalid_annotation' | 'too_large' | 'unknown_builtin' | 'arity' | 'syntax';
type Fail = (code: Code, reason: string, at: Place) => never;

/** Is there at a glance nothing wrong? Most rules are a few atoms, and there are texts with very many. */
function isPlain({ heads, body, say }: RuleParts): boolean {
  if (say !== undefined || heads.length > LIMITS.heads || heads.length + body.length === 0 || body.length * 2 > LIMITS.variables) return false;
  for (const item of body) if (!isAtom(item) || item.absent) return false;
  for (const head of heads) if (head.absent || !isMet(head.subject, body as readonly Atom[]) || !isMet(head.object, body as readonly Atom[])) return false;
  return true;
}
/** Is the term a constant, or a variable of some atom? */
function isMet(term: RuleTerm, atoms: readonly Atom[]): boolean {
  if (term.kind !== 'variable') return true;
  const { name } = term;
  for (const { subject, object } of atoms)
    if ((subject.kind === 'variable' && subject.name === name) || (object.kind === 'variable' && object.name === name)) return true;
  return false;
}

/** Throws RuleError at the first thing that is wrong. */
export function checkRule(rule: RuleParts, place: Placer): void {
  if (isPlain(rule)) return;
  const fail: Fail = (code, reason, at) => {
    throw new RuleError(code, reason, { ...at, rule: rule.name ?? printRule(rule) });
  };
  if (rule.heads.length === 0 && rule.body.length === 0) fail('unsafe', 'the rule is empty; give it a head, a body or both', place('heads', 0, 0));
  if (rule.heads.length > LIMITS.heads)
    fail('too_large', `the rule has ${rule.heads.length} heads; at most ${LIMITS.heads} are allowed`, place('heads', LIMITS.heads, 0));
  if (rule.body.length > LIMITS.body)
    fail('too_large', `the rule has ${rule.body.length} conditions; at most ${LIMITS.body} are allowed`, place('body', LIMITS.body, 0));

  const plain = rule.body.every(isAtom);
  const outer = plain ? NONE : outerVariables(rule);
  const bound = bindingOrder(rule.body, new Set(), outer);
  let variables = bound.size;
  for (const item of rule.body) if (!isAtom(item) && item.kind === 'aggregate') variables += innerVariables(item).size;
  if (variables > LIMITS.variables) fail('too_large', `the rule has ${variables} variables; at most ${LIMITS.variables} are allowed`, place('body', 0, 0));

  const needs = (term: RuleTerm, part: 'heads' | 'body', index: number, position: 0 | 1, where: string): void => {
    if (term.kind !== 'variable' || bound.has(term.name)) return;
    const group = rule.body.find((item) => !isAtom(item) && item.kind === 'aggregate' && innerVariables(item).has(term.name));
    const hint = group
      ? `; what stands in the braces of an aggregate gives nothing outside: it is the group there, and needs a value such as by exists p(?${term.name}, _)`
      : '';
    fail('unsafe', unbound(term.name, where) + hint, place(part, index, position));
  };
  const kinds = plain ? new Kinds() : variableKinds(rule);
  rule.heads.forEach((head, i) => {
    if (head.absent) fail('unsafe', 'a head cannot be "not p(..)"; what is known to be false is written -p(..)', place('heads', i, 0));
    needs(head.subject, 'heads', i, 0, 'of the head is not bound by the body');
    needs(head.object, 'heads', i, 1, 'of the head is not bound by the body');
    const kind = head.subject.kind === 'variable' ? kinds.get(head.subject.name) : undefined;
    if (kind !== undefined && kind !== 'entity')
      fail('type', `${printRuleTerm(head.subject)} is computed as a ${kind} and cannot be a subject; only entities can`, place('heads', i, 0));
  });
  rule.body.forEach((item, i) => {
    if (isAtom(item)) {
      if (!item.absent) return;
      needs(item.subject, 'body', i, 0, 'occurs only under "not"');
      needs(item.object, 'body', i, 1, 'occurs only under "not"');
      checkSubject(item, kinds, (reason) => fail('type', reason, place('body', i, 0)));
    } else if (item.kind === 'compare') {
      checkBound(item, bound, (name, side, where) => fail('unsafe', unbound(name, where), place('body', i, side)));
      checkComparison(item, kinds, (side, code, reason) => fail(code, reason, place('body', i, side)));
    } else {
      for (const name of groupOf(item, outer))
        if (!bound.has(name))
          fail(
            'unsafe',
            `variable ?${name} occurs inside and outside of ${item.function} { .. }, so it is the group and needs a value outside; add a condition that gives it one, such as exists p(?${name}, _)`,
            place('body', i, 1),
          );
      needs(item.result, 'body', i, 0, 'is not bound');
      checkInside(item, outer, kinds, fail, place('body', i, 1));
      checkAggregate(item, kinds, (code, reason) => fail(code, reason, place('body', i, 1)));
    }
  });
  if (rule.say !== undefined)
    for (const name of sayVariables(rule.say))
      if (!bound.has(name))
        fail(
          'invalid_annotation',
          `@say mentions {${name}}, but the rule has no variable ?${name}${bound.size > 0 ? `; it has ${[...bound].map((known) => `?${known}`).join(', ')}` : ''}`,
          place('say', 0, 0),
        );
}

const unbound = (name: string, where: string): string =>
  `variable ?${name} ${where}; add a condition to the body that gives it a value, such as p(?${name}, ?other)`;

/** A condition that nothing can meet, and under "not" everything, since only entities are subjects. */
function checkSubject({ relation, subject, absent }: Atom, kinds: ReadonlyMap<string, ValueKind>, fail: (reason: string) => never): void {
  const kind = subject.kind === 'variable' ? kinds.get(subject.name) : undefined;
  if (kind === undefined || kind === 'entity') return;
  fail(
    `${printRuleTerm(subject)} is a ${kind} and cannot be the subject of ${relation}; only entities can, so ${absent ? 'this would always hold' : 'nothing would ever meet this'}`,
  );
}

function checkBound(item: Comparison, bound: ReadonlySet<string>, fail: (name: string, side: 0 | 1, where: string) => never): void {
  for (const [side, expression] of [item.left, item.right].entries())
    for (const name of variablesOf(expression)) if (!bound.has(name)) fail(name, side as 0 | 1, 'occurs only in a comparison');
}

/** What stands in the braces of an aggregate is a body of its own, in which the group has its values. */
function checkInside(item: Aggregate, outer: ReadonlySet<string>, given: Kinds, fail: Fail, at: Place): void {
  const within = `inside ${item.function} { .. }`;
  if (item.body.length > LIMITS.body) fail('too_large', `${within} stand ${item.body.length} conditions; at most ${LIMITS.body} are allowed`, at);
  const group = groupOf(item, outer);
  const bound = bindingOrder(item.body, new Set(group), innerVariables(item));
  const needs = (names: Iterable<string>, where: string): void => {
    for (const name of names) if (!bound.has(name)) fail('unsafe', unbound(name, `${where} ${within}`), at);
  };
  if (!item.body.some((inner) => isAtom(inner) && !inner.absent))
    fail('unsafe', `${within} no condition such as p(?x, ?y) stands, so there is nothing to take values from`, at);
  const kinds = variableKinds({ heads: [], body: item.body });
  const known = new Map(kinds);
  for (const name of group) {
    const kind = given.get(name);
    if (kind !== undefined) known.set(name, kind);
  }
  for (const inner of item.body as readonly BodyItem[])
    if (isAtom(inner)) {
      checkSubject(inner, known, (reason) => fail('type', `${isDenial(item) ? 'under "not"' : within}, ${reason}`, at));
      if (inner.absent)
        needs(
          [inner.subject, inner.object].flatMap((term) => (term.kind === 'variable' ? [term.name] : [])),
          'occurs only under "not"',
        );
    } else if (inner.kind === 'compare') {
      checkBound(inner, bound, (name, _, where) => fail('unsafe', unbound(name, `${where} ${within}`), at));
      checkComparison(inner, kinds, (_, code, reason) => fail(code, reason, at));
    } else fail('syntax', 'an aggregate cannot stand inside another; compute it by a rule of its own and use the relation here', at);
  needs(
    item.of.flatMap((term) => (term.kind === 'variable' ? [term.name] : [])),
    'has no value',
  );
}
