// Owns the verification of proofs. Shares only the types with the engine: its own substitution, its own matching, its own comparisons.
// Refuses to know how proofs are found. Small enough to be read in one sitting; trust this, and the engine need not be trusted.

import type { Fact, Term, Triple } from '../terms.ts';
import type { Atom, BodyItem, Comparison, Proof, Rule, RuleTerm } from './types.ts';

/** What a proof may rest on. Each callback may answer later. */
export interface Grounds {
  /** Is this fact, exactly so, stored and in force? */
  fact(fact: Fact): boolean | Promise<boolean>;
  /** The rule as it is allowed, for a rule that a proof names by id; undefined when there is none. */
  rule(rule: Rule): Rule | undefined | Promise<Rule | undefined>;
  /** Does nothing say that this ground atom holds? `absent` is not set on it. */
  absent(atom: Atom): boolean | Promise<boolean>;
  /** Is this a hypothesis that was made? */
  given(triple: Triple): boolean | Promise<boolean>;
}
export interface CheckLimits {
  readonly nodes: number;
  readonly height: number;
}
export type CheckResult =
  | { readonly valid: true; readonly nodes: number }
  | {
      readonly valid: false;
      /** Way from the root: numbers of premises, from 0. */
      readonly path: readonly number[];
      readonly reason: string;
    };

class Wrong extends Error {
  readonly path: readonly number[];
  constructor(path: readonly number[], reason: string) {
    super(reason);
    this.path = path;
  }
}

/** Verifies every step of a proof; reports the first that does not hold (parents before premises, premises in order). Never throws on a malformed proof. */
export async function checkProof(proof: Proof, grounds: Grounds, limits: CheckLimits = { nodes: 100_000, height: 4_000 }): Promise<CheckResult> {
  let nodes = 0;
  const visit = async (node: Proof, path: readonly number[]): Promise<void> => {
    const fail = (reason: string): never => {
      throw new Wrong(path, reason);
    };
    if (++nodes > limits.nodes) fail(`the proof has more than ${limits.nodes} nodes`);
    if (path.length > limits.height) fail(`the proof is higher than ${limits.height}`);
    switch (node.kind) {
      case 'fact': {
        if (!equalTriples(node.conclusion, node.fact)) fail('the fact is not the conclusion');
        if (node.confidence !== node.fact.confidence || !(node.confidence > 0 && node.confidence <= 1))
          fail(`confidence ${node.confidence} is not the fact's ${node.fact.confidence}`);
        if (!(await grounds.fact(node.fact))) fail(`fact ${node.fact.id} is not stored, not in force, or not as the proof tells it`);
        return;
      }
      case 'given':
        if (!(node.confidence > 0 && node.confidence <= 1)) fail(`confidence ${node.confidence} is not in (0, 1]`);
        if (!(await grounds.given(node.conclusion))) fail('the hypothesis was not made');
        return;
      case 'absent':
        fail('an absence is a premise, not a conclusion');
        return;
      case 'compare':
        fail('a comparison is a premise, not a conclusion');
        return;
      case 'rule':
        break;
      default:
        node satisfies never;
        fail('the node is of no known kind');
    }
    const allowed = (await grounds.rule(node.rule)) ?? fail(`rule ${node.rule.id} is not among the rules allowed`);
    if (!equalRules(allowed, node.rule)) fail(`rule ${node.rule.id} is not what the proof says it is`);
    const { bindings } = node;
    if (!allowed.heads.some((head) => equalAtom(head, bindings, node.conclusion))) fail('the conclusion is not a head of the rule under the bindings');
    if (node.premises.length !== allowed.body.length) fail(`the rule has ${allowed.body.length} conditions, the proof ${node.premises.length} premises`);
    let confidence = allowed.confidence ?? 1;
    for (let i = 0; i < node.premises.length; i++) {
      const premise = node.premises[i];
      const reason = await mismatch(allowed.body[i], bindings, premise, grounds);
      if (reason !== undefined) throw new Wrong([...path, i], reason);
      confidence *= premise.confidence;
    }
    if (!(Math.abs(confidence - node.confidence) <= 1e-12 * confidence))
      fail(`confidence ${node.confidence} is not the product ${confidence} of rule and premises`);
    for (let i = 0; i < node.premises.length; i++) {
      const premise = node.premises[i];
      if (premise.kind === 'absent' || premise.kind === 'compare') {
        if (++nodes > limits.nodes) fail(`the proof has more than ${limits.nodes} nodes`);
      } else await visit(premise, [...path, i]);
    }
  };
  try {
    await visit(proof, []);
    return { valid: true, nodes };
  } catch (error) {
    if (error instanceof Wrong) return { valid: false, path: error.path, reason: error.message };
    if (error instanceof TypeError || error instanceof RangeError) return { valid: false, path: [], reason: `the proof is malformed: ${error.message}` };
    throw error;
  }
}

/** Why `premise` does not meet `item` under `bindings`; undefined when it does. */
async function mismatch(item: BodyItem, bindings: Readonly<Record<string, Term>>, premise: Proof, grounds: Grounds): Promise<string | undefined> {
  if ('kind' in item) {
    if (premise.kind !== 'compare') return 'the condition is a comparison, the premise is not';
    const left = ground(item.left, bindings);
    const right = ground(item.right, bindings);
    if (!left || !right) return 'a variable of the comparison has no binding';
    const { conclusion } = premise;
    if (conclusion.operator !== item.operator || !sameGround(conclusion.left, left) || !sameGround(conclusion.right, right))
      return 'the comparison is not the condition under the bindings';
    if (premise.confidence !== 1) return 'a comparison has confidence 1';
    return compares(item.operator, left, right) ? undefined : `${show(left)} ${item.operator} ${show(right)} is false`;
  }
  const subject = ground(item.subject, bindings);
  const object = ground(item.object, bindings);
  if (!subject || !object) return 'a variable of the condition has no binding';
  if (item.absent) {
    if (premise.kind !== 'absent') return 'the condition is an absence, the premise is not';
    const { conclusion } = premise;
    if (
      conclusion.relation !== item.relation ||
      !conclusion.negated !== !item.negated ||
      !sameGround(conclusion.subject, subject) ||
      !sameGround(conclusion.object, object)
    )
      return 'the absence is not the condition under the bindings';
    if (premise.confidence !== 1) return 'an absence has confidence 1';
    const atom: Atom = { relation: item.relation, subject, object, ...(item.negated ? { negated: true } : {}) };
    return (await grounds.absent(atom)) ? undefined : `${item.negated ? '-' : ''}${item.relation}(${show(subject)}, ${show(object)}) is not absent`;
  }
  if (premise.kind === 'absent' || premise.kind === 'compare') return 'the condition is a fact, the premise is not';
  return equalAtom(item, bindings, premise.conclusion) ? undefined : 'the premise is not the condition under the bindings';
}

function ground(term: RuleTerm, bindings: Readonly<Record<string, Term>>): Term | undefined {
  if (term.kind !== 'variable') return term;
  return Object.hasOwn(bindings, term.name) ? bindings[term.name] : undefined;
}
const equalTerms = (a: Term, b: Term): boolean =>
  a.kind === 'entity' ? b.kind === 'entity' && a.id === b.id : b.kind === 'literal' && a.type === b.type && a.value === b.value;
const sameGround = (a: RuleTerm, b: Term): boolean => a.kind !== 'variable' && equalTerms(a, b);
const equalTriples = (a: Triple, b: Triple): boolean =>
  a.subject === b.subject && a.relation === b.relation && !a.negated === !b.negated && equalTerms(a.object, b.object);
/** Is `triple` this atom under the bindings? */
function equalAtom(atom: Atom, bindings: Readonly<Record<string, Term>>, triple: Triple): boolean {
  const subject = ground(atom.subject, bindings);
  const object = ground(atom.object, bindings);
  return (
    !atom.absent &&
    atom.relation === triple.relation &&
    !atom.negated === !triple.negated &&
    subject?.kind === 'entity' &&
    subject.id === triple.subject &&
    object !== undefined &&
    equalTerms(object, triple.object)
  );
}
const equalRuleTerms = (a: RuleTerm, b: RuleTerm): boolean =>
  a.kind === 'variable' ? b.kind === 'variable' && a.name === b.name : b.kind !== 'variable' && equalTerms(a, b);
function equalItems(a: BodyItem, b: BodyItem): boolean {
  if ('kind' in a) return 'kind' in b && a.operator === b.operator && equalRuleTerms(a.left, b.left) && equalRuleTerms(a.right, b.right);
  return (
    !('kind' in b) &&
    a.relation === b.relation &&
    !a.negated === !b.negated &&
    !a.absent === !b.absent &&
    equalRuleTerms(a.subject, b.subject) &&
    equalRuleTerms(a.object, b.object)
  );
}
function equalRules(a: Rule, b: Rule): boolean {
  return (
    a.id === b.id &&
    a.name === b.name &&
    a.say === b.say &&
    a.text === b.text &&
    (a.confidence ?? 1) === (b.confidence ?? 1) &&
    a.heads.length === b.heads.length &&
    a.body.length === b.body.length &&
    a.heads.every((head, i) => equalItems(head, b.heads[i])) &&
    a.body.every((item, i) => equalItems(item, b.body[i]))
  );
}

function compares(operator: Comparison['operator'], left: Term, right: Term): boolean {
  if (operator === '=') return equalTerms(left, right);
  if (operator === '!=') return !equalTerms(left, right);
  if (left.kind !== 'literal' || right.kind !== 'literal' || left.type !== right.type || left.type === 'boolean') return false;
  let a: number | readonly number[];
  let b: number | readonly number[];
  if (left.type === 'number') [a, b] = [left.value, right.value as number];
  else if (left.type === 'date') [a, b] = [firstInstant(left.value), firstInstant(right.value as string)];
  else [a, b] = [codePoints(left.value), codePoints(right.value as string)];
  const order = typeof a === 'number' ? a - (b as number) : lexicographic(a, b as readonly number[]);
  return operator === '<' ? order < 0 : operator === '<=' ? order <= 0 : operator === '>' ? order > 0 : order >= 0;
}
const codePoints = (text: string): number[] => Array.from(text, (sign) => sign.codePointAt(0) as number);
function lexicographic(a: readonly number[], b: readonly number[]): number {
  for (let i = 0; i < a.length && i < b.length; i++) if (a[i] !== b[i]) return a[i] - b[i];
  return a.length - b.length;
}
/** First instant of a year, month, day or time, in milliseconds; without an offset: UTC. */
function firstInstant(text: string): number {
  const [date, time = ''] = text.split('T');
  const [year, month = 1, day = 1] = date.replace(/^-/, '').split('-').map(Number);
  const clock = /^(\d\d):(\d\d)(?::([\d.]+))?(?:([+-])(\d\d):(\d\d))?/.exec(time) ?? [];
  const minutes = Number(clock[1] ?? 0) * 60 + Number(clock[2] ?? 0) - (clock[4] === '-' ? -1 : 1) * (Number(clock[5] ?? 0) * 60 + Number(clock[6] ?? 0));
  return daysBefore(date.startsWith('-') ? -year : year, month, day) * 86_400_000 + minutes * 60_000 + Number(clock[3] ?? 0) * 1000;
}
/** Days from 1970-01-01 in the proleptic Gregorian calendar (Hinnant, "chrono-Compatible Low-Level Date Algorithms"). */
function daysBefore(year: number, month: number, day: number): number {
  // Months beyond 12 and days beyond the month run over, as in the engine's calendar.
  const monthOfYear = (((month - 1) % 12) + 12) % 12;
  const y = year + Math.floor((month - 1) / 12) - (monthOfYear < 2 ? 1 : 0);
  const m = monthOfYear + 1;
  const era = Math.floor(y / 400);
  const yearOfEra = y - era * 400;
  const dayOfYear = Math.floor((153 * (m + (m > 2 ? -3 : 9)) + 2) / 5);
  return era * 146_097 + yearOfEra * 365 + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100) + dayOfYear + (day - 1) - 719_468;
}
const show = (term: Term): string => (term.kind === 'entity' ? term.id : JSON.stringify(term.value));
