// Owns the rewriting of rules so that they derive only what some goals ask for: magic sets (Beeri and Ramakrishnan, J. Logic Programming 10, 1991).
// Refuses to know databases and how rules run.
//
// A call is a relation with the positions that are bound when it is asked. Each call has a magic relation that holds the values it was asked with; a rule derives its head only
// for values that some call holds, and what a rule needs is called with what was bound before it. Facts stay in the relations they belong to, so that a row's rule, stamp and
// confidence mean what they mean without the rewriting: a row that is derived was asked for, so all its derivations were made.
// What stands under `not` (or is counted) must be complete before it is looked at: such relations, and all they depend on, are derived in full. So nothing that is derived in
// full depends on a magic relation, and the rewritten rules have strata whenever the given ones have.

import { entity, parseEntityId } from '../../terms.ts';
import type { EntityTerm, RelationName, Term, Triple } from '../../terms.ts';
import { atomsOf, isAtom, itemVariables } from '../language/body.ts';
import { signed, unsigned } from '../tables/database.ts';
import type { Database, SignedRelation } from '../tables/database.ts';
import { Program } from './program.ts';
import type { Atom, BodyItem, Rule, RuleTerm } from '../types.ts';

export interface MagicRules {
  readonly rules: readonly Rule[];
  /** For each rule: the number of the rule it came from; -1 where it fills a magic relation. */
  readonly origin: readonly number[];
  /** What is asked, to be told before the rules run. */
  readonly seeds: readonly Triple[];
  /** Present when the answers were factored: they are read by `factoredAnswers`. */
  readonly factored?: Factored;
}
/** How the answers of one goal are kept when its rules pass the free position on as it is. */
export interface Factored {
  /** Relation of the answers: the free position's value is the object. */
  readonly answers: SignedRelation;
  /** Magic relation of the values that the bound position had. */
  readonly reached: SignedRelation;
  /** The bound position. */
  readonly side: 'subject' | 'object';
  /** For each rule that fills a magic relation by way of a recursive rule, or gives an answer: the number of the rule it came from. */
  readonly via: ReadonlyMap<number, number>;
}
export interface MagicOptions {
  /** One derivation of each answer is enough, and all confidences are 1: `p(?x, ?z) :- p(?x, ?y), p(?y, ?z).` may then extend only what the goal asks for. */
  readonly anyDerivation?: boolean;
  /** The only goal's answers will be read one by one (with `anyDerivation`): they may be factored. */
  readonly oneByOne?: boolean;
}

type Adornment = 'bb' | 'bf' | 'fb' | 'ff';
interface Call {
  readonly key: SignedRelation;
  readonly adornment: Adornment;
  /** Without the rule that chains the relation with itself. */
  readonly base?: true;
}

/** No name that a user gives holds this sign. */
const MARK = '\u0001';
export const isMagic = (key: SignedRelation): boolean => unsigned(key).relation.startsWith(MARK);
const NOTHING: EntityTerm = entity(parseEntityId('-'));
const variablesOf = (item: BodyItem): string[] => [...itemVariables(item)];
const keyOf = (atom: Atom): SignedRelation => signed(atom.relation, atom.negated);

/** The magic atom of a call. Values stand where terms of their kind may stand: a literal is never a subject. */
function magicAtom({ key, adornment, base }: Call, subject: RuleTerm, object: RuleTerm): Atom {
  const relation = `${MARK}${adornment}${base ? ' base' : ''} ${key}` as RelationName;
  switch (adornment) {
    case 'bb':
      return { relation, subject, object };
    case 'bf':
      return { relation, subject, object: subject };
    case 'fb':
      return { relation, subject: NOTHING, object };
    case 'ff':
      return { relation, subject: NOTHING, object: NOTHING };
    default:
      throw new TypeError(adornment satisfies never);
  }
}
function callOf(atom: Atom, bound: ReadonlySet<string>): Call {
  const is = (term: RuleTerm): 'b' | 'f' => (term.kind !== 'variable' || bound.has(term.name) ? 'b' : 'f');
  return { key: keyOf(atom), adornment: `${is(atom.subject)}${is(atom.object)}` };
}

/** Relations that have to be complete before a rule looks at them, with all they depend on. */
function derivedInFull(rules: readonly Rule[], byHead: ReadonlyMap<SignedRelation, readonly Headed[]>): Set<SignedRelation> {
  const full = new Set<SignedRelation>();
  for (const rule of rules) for (const { atom, closed } of atomsOf(rule.body)) if (closed) full.add(keyOf(atom));
  for (const key of full) for (const { rule } of byHead.get(key) ?? []) for (const { atom } of atomsOf(rule.body)) full.add(keyOf(atom));
  return full;
}

interface Headed {
  readonly rule: Rule;
  readonly number: number;
  readonly head: Atom;
}
/** Order in which values are handed on: filters as soon as they are bound, then the condition with most bound positions, stored relations first. What is of no known kind hands on nothing. */
function handOn(body: readonly BodyItem[], bound: Set<string>, isCalled: (atom: Atom) => boolean): { readonly item: BodyItem; readonly before: ReadonlySet<string> }[] {
  const left = new Set(body);
  const steps: { item: BodyItem; before: ReadonlySet<string> }[] = [];
  while (left.size > 0) {
    let best: BodyItem | undefined;
    let most = -1;
    for (const item of left) {
      const variables = variablesOf(item);
      if (isAtom(item) && !item.absent) {
        const terms = [item.subject, item.object].filter((term) => term.kind !== 'variable' || bound.has(term.name)).length;
        const score = terms * 2 + (isCalled(item) ? 0 : 1);
        if (score > most) [best, most] = [item, score];
      } else if ((isAtom(item) || item.kind === 'compare') && variables.every((name) => bound.has(name))) {
        best = item;
        break;
      }
    }
    if (!best) break;
    left.delete(best);
    steps.push({ item: best, before: new Set(bound) });
    if (isAtom(best) && !best.absent) for (const name of variablesOf(best)) bound.add(name);
  }
  return steps;
}
/** The conditions among these that lead from the magic atom's variables to those wanted; leaving out the others only asks for more. */
function leadingTo(wanted: readonly string[], before: readonly BodyItem[]): BodyItem[] {
  const needed = new Set(wanted);
  const kept: BodyItem[] = [];
  for (const item of before.toReversed()) {
    const variables = variablesOf(item);
    if (!variables.some((name) => needed.has(name))) continue;
    for (const name of variables) needed.add(name);
    kept.push(item);
  }
  return kept.toReversed();
}

/** Is this `p(?x, ?z) :- p(?x, ?y), p(?y, ?z).`, in either order? Then the conditions, the one with ?x first. */
function chained({ heads, body }: Rule): readonly [Atom, Atom] | undefined {
  if (heads.length !== 1 || body.length !== 2) return undefined;
  const [head] = heads;
  const [a, b] = body;
  if (!isAtom(a) || !isAtom(b) || a.absent || b.absent || keyOf(a) !== keyOf(head) || keyOf(b) !== keyOf(head)) return undefined;
  const same = (one: RuleTerm, other: RuleTerm): boolean => one.kind === 'variable' && other.kind === 'variable' && one.name === other.name;
  for (const [first, second] of [
    [a, b],
    [b, a],
  ] as const) {
    const fits = same(head.subject, first.subject) && same(first.object, second.subject) && same(second.object, head.object);
    if (fits && new Set([head.subject, head.object, first.object].map((term) => (term.kind === 'variable' ? term.name : ''))).size === 3) return [first, second];
  }
  return undefined;
}
/**
 * The atom by which a rule calls its own relation with the free position passed on as it is, as in `p(?x, ?z) :- e(?x, ?y), p(?y, ?z).` when ?x is bound (right-linear; left-linear
 * when the object is bound). `none`: the rule does not call its own relation. undefined: it does so otherwise.
 */
function passedOn({ heads, body }: Rule, side: 'subject' | 'object'): Atom | 'none' | undefined {
  const [head] = heads;
  const own = [...atomsOf(body)].filter(({ atom }) => keyOf(atom) === keyOf(head));
  if (heads.length !== 1) return undefined;
  if (own.length === 0) return 'none';
  const [{ atom, closed }] = own;
  const free = side === 'subject' ? 'object' : 'subject';
  const [passed, bound] = [head[free], atom[side]];
  if (own.length > 1 || closed || passed.kind !== 'variable' || bound.kind !== 'variable' || bound.name === passed.name) return undefined;
  if (atom[free].kind !== 'variable' || atom[free].name !== passed.name || variablesOf({ ...head, [free]: head[side] }).includes(passed.name)) return undefined;
  const others = body.filter((item) => item !== atom);
  if (others.some((item) => variablesOf(item).includes(passed.name))) return undefined;
  return others.some((item) => isAtom(item) && !item.absent && variablesOf(item).includes(bound.name)) ? atom : undefined;
}
/** Can the answers of the goal be factored (Naughton, Ramakrishnan, Sagiv and Ullman, VLDB 1989)? Its relation is called by the goal and its own recursive rules alone. */
function factoring(rules: readonly Rule[], goal: Atom): 'subject' | 'object' | undefined {
  const { adornment, key } = callOf(goal, new Set());
  const side = adornment === 'bf' ? 'subject' : adornment === 'fb' ? 'object' : undefined;
  if (!side) return undefined;
  let recursive = false;
  for (const rule of rules) {
    const own = rule.heads.some((head) => keyOf(head) === key);
    if (!own && [...atomsOf(rule.body)].some(({ atom }) => keyOf(atom) === key)) return undefined;
    const passed = own ? passedOn(rule, side) : 'none';
    if (passed === undefined) return undefined;
    recursive ||= passed !== 'none';
  }
  return recursive ? side : undefined;
}

/** Rewrites the rules for the goals; undefined when that would spare nothing, because a goal has no constant or has to be derived in full. */
export function magicRules(rules: readonly Rule[], goals: readonly Atom[], { anyDerivation = false, oneByOne = false }: MagicOptions = {}): MagicRules | undefined {
  const byHead = new Map<SignedRelation, Headed[]>();
  rules.forEach((rule, number) => {
    for (const head of rule.heads) {
      const list = byHead.get(keyOf(head));
      if (list) list.push({ rule, number, head });
      else byHead.set(keyOf(head), [{ rule, number, head }]);
    }
  });
  const full = derivedInFull(rules, byHead);
  const isCalled = (atom: Atom): boolean => byHead.has(keyOf(atom)) && !full.has(keyOf(atom));
  const none = new Set<string>();
  const asked = goals.filter((goal) => byHead.has(keyOf(goal)));
  if (asked.length === 0 || asked.some((goal) => !isCalled(goal) || callOf(goal, none).adornment === 'ff')) return undefined;

  const written: Rule[] = [];
  const origin: number[] = [];
  const write = (head: Atom, body: readonly BodyItem[], from: number): void => {
    const { text, confidence } = from < 0 ? { text: 'magic', confidence: undefined } : rules[from];
    written.push({ id: `m_${written.length}`, heads: [head], body, text, ...(confidence === undefined ? {} : { confidence }) });
    origin.push(from);
  };
  const calls = new Map<string, Call>();
  const call = (made: Call): void => void calls.set(`${made.adornment}${made.base ?? ''}${made.key}`, made);
  const ground = (term: RuleTerm): Term => (term.kind === 'variable' ? NOTHING : term);
  const seeds = asked.map((goal): Triple => {
    const made = callOf(goal, none);
    call(made);
    const { relation, subject, object } = magicAtom(made, ground(goal.subject), ground(goal.object));
    if (subject.kind !== 'entity') throw new TypeError('the subject of a goal is a literal');
    return { relation, subject: subject.id, object: ground(object) };
  });
  const texts = new Set<string>();
  /** What asks for itself asks for nothing new; the same question need not be asked twice. */
  const fill = (needed: Call, item: Atom, magic: Atom, before: readonly BodyItem[], via?: number): void => {
    call(needed);
    const fills = magicAtom(needed, item.subject, item.object);
    const body = [magic, ...before];
    const text = JSON.stringify([fills, body]);
    if (JSON.stringify(fills) === JSON.stringify(magic) || (via === undefined && texts.has(text))) return;
    texts.add(text);
    if (via !== undefined) vias.set(written.length, via);
    write(fills, body, -1);
  };
  const handOnAll = (made: Call, head: Atom, body: readonly BodyItem[]): void => {
    const magic = magicAtom(made, head.subject, head.object);
    const before: BodyItem[] = [];
    for (const { item, before: known } of handOn(body, new Set(variablesOf(magic)), isCalled)) {
      if (isAtom(item) && !item.absent && isCalled(item)) {
        const needed = callOf(item, known);
        fill(needed, item, magic, leadingTo(variablesOf(magicAtom(needed, item.subject, item.object)), before));
      }
      before.push(item);
    }
  };
  const vias = new Map<number, number>();
  const side = anyDerivation && oneByOne && asked.length === 1 && goals.length === 1 ? factoring(rules, asked[0]) : undefined;
  const goalKey = keyOf(asked[0]);
  const answerAtom = (object: RuleTerm): Atom => ({ relation: `${MARK}answer ${goalKey}` as RelationName, subject: NOTHING, object });
  for (const made of calls.values())
    for (const { rule, number, head } of byHead.get(made.key) ?? []) {
      const magic = magicAtom(made, head.subject, head.object);
      if (side && made.key === goalKey) {
        const passed = passedOn(rule, side);
        const others = rule.body.filter((item) => item !== passed);
        handOnAll(made, head, others);
        if (passed === 'none' || passed === undefined) {
          vias.set(written.length, number);
          write(answerAtom(side === 'subject' ? head.object : head.subject), [magic, ...rule.body], -1);
        } else fill(made, passed, magic, others, number);
        continue;
      }
      const links = anyDerivation && made.adornment !== 'ff' ? chained(rule) : undefined;
      if (!links) {
        handOnAll(made, head, rule.body);
        write(head, [magic, ...rule.body], number);
        continue;
      }
      // Whatever chains of steps lead to, it is found by adding one step that is no chain at a time to what was asked for (linearised transitive closure).
      if (made.base) continue;
      if (made.adornment === 'bb') {
        fill({ key: made.key, adornment: 'bf' }, head, magic, []);
        continue;
      }
      const [from, onward] = made.adornment === 'bf' ? links : [links[1], links[0]];
      fill({ key: made.key, adornment: made.adornment, base: true }, onward, magic, [from]);
      write(head, [magic, ...rule.body], number);
    }
  for (const key of full) for (const { rule, number, head } of byHead.get(key) ?? []) write(head, rule.body, number);
  if (!side) return { rules: written, origin, seeds };
  // Told facts of the goal's relation are answers, too.
  const told: Atom = { ...asked[0], subject: { kind: 'variable', name: 's' }, object: { kind: 'variable', name: 'o' } };
  const reached = magicAtom({ key: goalKey, adornment: side === 'subject' ? 'bf' : 'fb' }, told.subject, told.object);
  write(answerAtom(side === 'subject' ? told.object : told.subject), [reached, told], -1);
  return { rules: written, origin, seeds, factored: { answers: keyOf(answerAtom(NOTHING)), reached: keyOf(reached), side, via: vias } };
}

/** The rewritten rules ready to run over a database in which all facts were told. */
export function magicProgram({ rules, seeds }: MagicRules, database: Database): Program {
  for (const seed of seeds) database.tell(seed, 1);
  const program = new Program(rules, database);
  // To be asked is no evidence: a magic row weighs 1, however sure it is that it will be needed.
  for (const slot of database.slots()) if (isMagic(slot.key)) slot.table.confidences = undefined;
  return program;
}
/** After rewritten rules ran: the given rules over the same database, with every row named after the rule it came from. Proofs are read from here. */
export function adoptRows({ database }: Program, rules: readonly Rule[], origin: readonly number[]): Program {
  for (const { key, table } of database.slots()) {
    if (isMagic(key)) continue;
    for (let row = 0; row < table.count; row++) if (table.rules[row] >= 0) table.rules[row] = origin[table.rules[row]];
  }
  return new Program(rules, database);
}
/** Facts that rules derived: rows of magic relations are none, but the answers kept apart are. */
export function derivedFacts(database: Database, factored?: Factored): number {
  let count = 0;
  for (const { key, table } of database.slots()) if (!isMagic(key) || key === factored?.answers) count += table.derived;
  return count;
}
