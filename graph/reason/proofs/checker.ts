// Owns the verification of proofs. Shares only the types with the engine: its own substitution, its own matching, its own comparisons.
// Refuses to know how proofs are found. Small enough to be read in one sitting; trust this, and the engine need not be trusted.

import type { Fact, Term, Triple } from '../../terms.ts';
import { comparisonHolds, equalTerms, reckon, reckonAggregate } from './checker-values.ts';
import type { Aggregate, Atom, BodyItem, Comparison, Expression, Member, Proof, Rule, RuleTerm } from '../types.ts';

/** What a proof may rest on. Each callback may answer later. */
export interface Grounds {
  /** Is this fact, exactly so, stored and in force? */
  fact(fact: Fact): boolean | Promise<boolean>;
  /** The rule as it is allowed, for a rule that a proof names by id; undefined when there is none. */
  rule(rule: Rule): Rule | undefined | Promise<Rule | undefined>;
  /** Does nothing say that this ground atom holds? `absent` is not set on it. */
  absent(atom: Atom): boolean | Promise<boolean>;
  /** Everything that holds and matches this atom, where variables match anything; undefined when not all of it is known. Without it no aggregate can be verified. */
  matching?(atom: Atom): Iterable<Triple> | undefined | Promise<Iterable<Triple> | undefined>;
  /** Is this a hypothesis that was made, with just this confidence and validity? */
  given(triple: Triple, as: Pick<Fact, 'confidence' | 'validFrom' | 'validTo'>): boolean | Promise<boolean>;
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
        if (!(await grounds.given(node.conclusion, node))) fail('the hypothesis was not made as the proof tells it');
        return;
      case 'absent':
        fail('an absence is a premise, not a conclusion');
        return;
      case 'compare':
        fail('a comparison is a premise, not a conclusion');
        return;
      case 'aggregate':
        fail('an aggregate is a premise, not a conclusion');
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
      await visitPremise(premise, [...path, i]);
    }
  };
  const visitPremise = async (premise: Proof, path: readonly number[]): Promise<void> => {
    if (premise.kind === 'fact' || premise.kind === 'given' || premise.kind === 'rule') return visit(premise, path);
    if (++nodes > limits.nodes) throw new Wrong(path, `the proof has more than ${limits.nodes} nodes`);
    if (premise.kind === 'aggregate')
      for (const [m, member] of premise.members.entries()) for (const [i, inner] of member.premises.entries()) await visitPremise(inner, [...path, m, i]);
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
  if ('kind' in item && item.kind === 'aggregate') return aggregateMismatch(item, bindings, premise, grounds);
  if ('kind' in item) {
    if (premise.kind !== 'compare') return 'the condition is a comparison, the premise is not';
    const expected = groundComparison(item, bindings);
    if (!expected) return 'a variable of the comparison has no binding';
    if (!equalItems(expected, premise.conclusion)) return 'the comparison is not the condition under the bindings';
    if (premise.confidence !== 1) return 'a comparison has confidence 1';
    return comparisonHolds(expected, {}) ? undefined : `${showExpression(expected.left)} ${item.operator} ${showExpression(expected.right)} is false`;
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
  if (premise.kind === 'absent' || premise.kind === 'compare' || premise.kind === 'aggregate') return 'the condition is a fact, the premise is not';
  return equalAtom(item, bindings, premise.conclusion) ? undefined : 'the premise is not the condition under the bindings';
}

/** Most ways to meet the body of an aggregate that are looked at. */
const WAYS = 1_000_000;
/** Ways and triples looked at between two pauses. */
const PAUSE = 1_000;
/** To be asked for each way and each triple: now and then it is something to wait for, so that others have their turn. */
function turns(): () => Promise<void> | undefined {
  let looked = 0;
  return () => (++looked % PAUSE === 0 ? new Promise((resolve) => setImmediate(resolve)) : undefined);
}

/** An aggregate holds when its value is what all ways to meet its body give, and the members shown are among those ways. */
async function aggregateMismatch(item: Aggregate, bindings: Readonly<Record<string, Term>>, premise: Proof, grounds: Grounds): Promise<string | undefined> {
  if (premise.kind !== 'aggregate') return 'the condition is an aggregate, the premise is not';
  if (premise.confidence !== 1) return 'an aggregate has confidence 1';
  const result = ground(item.result, bindings);
  if (!result) return 'the result of the aggregate has no binding';
  if (!equalItems(substituteAggregate(item, bindings), premise.conclusion)) return 'the aggregate is not the condition under the bindings';
  const own = namesIn(item).filter((name) => !Object.hasOwn(bindings, name));
  const ways = await waysToMeet(item, bindings, own, grounds);
  if (typeof ways === 'string') return ways;
  if (premise.total !== ways.size) return `the aggregate has ${ways.size} members, not ${premise.total}`;
  const value = reckonAggregate(item, [...ways.values()]);
  if (!value || !equalTerms(value, result)) return `the ${item.function} is ${value ? show(value) : 'nothing'}, not ${show(result)}`;
  if (premise.members.length > ways.size) return 'more members are shown than there are';
  const seen = new Set<string>();
  for (const member of premise.members) {
    const key = keyOf(item, own, member.bindings);
    if (seen.has(key) || !ways.has(key)) return 'a member is shown twice or is none';
    seen.add(key);
    const reason = await memberMismatch(item, bindings, own, member, grounds);
    if (reason !== undefined) return reason;
  }
  return undefined;
}
async function memberMismatch(
  item: Aggregate,
  bindings: Readonly<Record<string, Term>>,
  own: readonly string[],
  member: Member,
  grounds: Grounds,
): Promise<string | undefined> {
  const names = Object.keys(member.bindings);
  if (names.length !== own.length || !names.every((name) => own.includes(name))) return 'a member binds other variables than those of the aggregate';
  if (member.premises.length !== item.body.length) return `the aggregate has ${item.body.length} conditions, a member ${member.premises.length} premises`;
  for (const [i, inner] of item.body.entries()) {
    const reason = await mismatch(inner, { ...bindings, ...member.bindings }, member.premises[i], grounds);
    if (reason !== undefined) return reason;
  }
  return undefined;
}
/** What tells the ways to meet an aggregate's body apart: the values counted, or those of all named variables. */
function keyOf({ function: name, of }: Aggregate, own: readonly string[], bindings: Readonly<Record<string, Term>>): string {
  const counted = new Set(of.flatMap((term) => (term.kind === 'variable' ? [term.name] : [])));
  const keys = own.filter((each) => counted.has(each) || (name !== 'count' && !each.startsWith('_')));
  return JSON.stringify(keys.map((each) => bindings[each]));
}
/** All ways to meet the body, by what tells them apart, with their bindings; or why they cannot be known. */
async function waysToMeet(
  item: Aggregate,
  bindings: Readonly<Record<string, Term>>,
  own: readonly string[],
  grounds: Grounds,
): Promise<Map<string, Readonly<Record<string, Term>>> | string> {
  let ways: Readonly<Record<string, Term>>[] = [bindings];
  const left = [...item.body];
  const turn = turns();
  while (left.length > 0) {
    const next = left.findIndex((each) => ready(each, ways[0] ?? {}));
    if (next < 0) {
      if (ways.length === 0) break;
      return 'a variable inside the aggregate has no value';
    }
    const [condition] = left.splice(next, 1);
    const met: Readonly<Record<string, Term>>[] = [];
    for (const way of ways) {
      const more = await meet(condition, way, grounds, turn);
      if (more === undefined) return 'what the aggregate ranges over is not wholly known';
      met.push(...more);
      if (met.length > WAYS) return `the aggregate has more than ${WAYS} ways`;
    }
    ways = met;
  }
  const told = new Map<string, Readonly<Record<string, Term>>>();
  for (const way of ways) {
    const others = turn();
    if (others) await others;
    told.set(keyOf(item, own, way), way);
  }
  return told;
}
const bound = (names: readonly string[], way: Readonly<Record<string, Term>>): boolean => names.every((name) => Object.hasOwn(way, name));
/** Can the condition be met now? An equation may give one variable its value. */
function ready(item: Atom | Comparison, way: Readonly<Record<string, Term>>): boolean {
  if (!('kind' in item)) return !item.absent || bound([...namesOf(item.subject), ...namesOf(item.object)], way);
  const [left, right] = [namesOf(item.left), namesOf(item.right)];
  if (bound([...left, ...right], way)) return true;
  return item.operator === '=' && ((item.left.kind === 'variable' && bound(right, way)) || (item.right.kind === 'variable' && bound(left, way)));
}
/** The ways that a condition leaves of one way; undefined when not all is known. */
async function meet(
  item: Atom | Comparison,
  way: Readonly<Record<string, Term>>,
  grounds: Grounds,
  turn: ReturnType<typeof turns>,
): Promise<Readonly<Record<string, Term>>[] | undefined> {
  const others = turn();
  if (others) await others;
  if ('kind' in item) {
    const { left, right, operator } = item;
    if (operator === '=')
      for (const [side, other] of [
        [left, right],
        [right, left],
      ])
        if (side.kind === 'variable' && !Object.hasOwn(way, side.name)) {
          const value = reckon(other, way);
          return value ? [{ ...way, [side.name]: value }] : [];
        }
    return comparisonHolds(item, way) ? [way] : [];
  }
  const subject = ground(item.subject, way);
  const object = ground(item.object, way);
  const sign = item.negated ? { negated: true } : {};
  if (item.absent) return subject && object && (await grounds.absent({ relation: item.relation, subject, object, ...sign })) ? [way] : [];
  if (subject && subject.kind !== 'entity') return [];
  const triples = await grounds.matching?.({ relation: item.relation, subject: subject ?? item.subject, object: object ?? item.object, ...sign });
  if (triples === undefined) return undefined;
  const found: Readonly<Record<string, Term>>[] = [];
  for (const triple of triples) {
    const more = turn();
    if (more) await more;
    const next: Record<string, Term> = { ...way };
    if (item.subject.kind === 'variable') next[item.subject.name] = { kind: 'entity', id: triple.subject };
    if (item.object.kind === 'variable' && !(item.object.name === (item.subject.kind === 'variable' ? item.subject.name : undefined)))
      next[item.object.name] = triple.object;
    // What the grounds gave is looked at again, so that they need not be trusted to select.
    if (!bound(Object.keys(way), next) || Object.keys(way).some((name) => !equalTerms(way[name], next[name]))) continue;
    if (equalAtom(item, next, triple)) found.push(next);
  }
  return found;
}

function* walk(expression: Expression): Generator<string> {
  if (expression.kind === 'variable') yield expression.name;
  if (expression.kind === 'call') for (const argument of expression.arguments) yield* walk(argument);
}
const namesOf = (expression: Expression): string[] => [...walk(expression)];
const namesIn = (item: Aggregate): string[] => [
  ...new Set([
    ...item.of.flatMap(namesOf),
    ...item.body.flatMap((each) => ('kind' in each ? [...namesOf(each.left), ...namesOf(each.right)] : [...namesOf(each.subject), ...namesOf(each.object)])),
  ]),
];
const fill = (term: RuleTerm, bindings: Readonly<Record<string, Term>>): RuleTerm => ground(term, bindings) ?? term;
function fillExpression(expression: Expression, bindings: Readonly<Record<string, Term>>): Expression {
  if (expression.kind === 'call') return { ...expression, arguments: expression.arguments.map((argument) => fillExpression(argument, bindings)) };
  return expression.kind === 'list' ? expression : fill(expression, bindings);
}
/** The comparison with values in place of all variables. */
function groundComparison(item: Comparison, bindings: Readonly<Record<string, Term>>): Comparison | undefined {
  if (![...namesOf(item.left), ...namesOf(item.right)].every((name) => Object.hasOwn(bindings, name))) return undefined;
  return { ...item, left: fillExpression(item.left, bindings), right: fillExpression(item.right, bindings) };
}
const substituteAggregate = (item: Aggregate, bindings: Readonly<Record<string, Term>>): Aggregate => ({
  ...item,
  result: fill(item.result, bindings),
  of: item.of.map((term) => fill(term, bindings)),
  body: item.body.map((each) =>
    'kind' in each
      ? { ...each, left: fillExpression(each.left, bindings), right: fillExpression(each.right, bindings) }
      : { ...each, subject: fill(each.subject, bindings), object: fill(each.object, bindings) },
  ),
});

function ground(term: RuleTerm, bindings: Readonly<Record<string, Term>>): Term | undefined {
  if (term.kind !== 'variable') return term;
  return Object.hasOwn(bindings, term.name) ? bindings[term.name] : undefined;
}
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
function equalExpressions(a: Expression, b: Expression): boolean {
  if (a.kind === 'call')
    return (
      b.kind === 'call' &&
      a.function === b.function &&
      a.arguments.length === b.arguments.length &&
      a.arguments.every((each, i) => equalExpressions(each, b.arguments[i]))
    );
  if (a.kind === 'list') return b.kind === 'list' && a.items.length === b.items.length && a.items.every((each, i) => equalTerms(each, b.items[i]));
  return b.kind !== 'call' && b.kind !== 'list' && equalRuleTerms(a, b);
}
function equalItems(a: BodyItem, b: BodyItem): boolean {
  if ('kind' in a && a.kind === 'aggregate')
    return (
      'kind' in b &&
      b.kind === 'aggregate' &&
      a.function === b.function &&
      equalRuleTerms(a.result, b.result) &&
      a.of.length === b.of.length &&
      a.of.every((term, i) => equalRuleTerms(term, b.of[i])) &&
      a.body.length === b.body.length &&
      a.body.every((item, i) => equalItems(item, b.body[i]))
    );
  if ('kind' in a)
    return 'kind' in b && b.kind === 'compare' && a.operator === b.operator && equalExpressions(a.left, b.left) && equalExpressions(a.right, b.right);
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

const show = (term: Term): string => (term.kind === 'entity' ? term.id : JSON.stringify(term.value));
const showExpression = (expression: Expression): string =>
  expression.kind === 'call'
    ? `${expression.function}(${expression.arguments.map(showExpression).join(', ')})`
    : expression.kind === 'list'
      ? `[${expression.items.map(show).join(', ')}]`
      : expression.kind === 'variable'
        ? `?${expression.name}`
        : show(expression);
