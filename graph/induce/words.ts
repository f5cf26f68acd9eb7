// Owns the way between numbers and words: facts to columns, mined rows to rules of the language with their measures.
// Refuses to know how rules are mined and which store the facts come from.

import { entity, literal } from '../terms.ts';
import type { RelationName, Triple } from '../terms.ts';
import { Interner, literalOrder } from '../reason/tables/interner.ts';
import { IS_A, makeRule } from '../reason/language/print.ts';
import type { Atom, BodyItem, Rule, RuleTerm } from '../reason/types.ts';
import { isRefined } from './conditions.ts';
import type { Examples } from './examples.ts';
import type { FactColumns } from './graph.ts';
import { wilson } from './measure.ts';
import type { Measures } from './measure.ts';
import { BODY, BOUND, CONSTANT, COVER, DIFFER, EXACT, HEAD, KIND, LENGTH, OPEN, pairBit, PATH, PCA, RANGE, STRIDE, SUPPORT } from './shape.ts';
import type { RuleColumns } from './shape.ts';

export interface MinedRule {
  readonly rule: Rule;
  readonly measures: Measures;
  /** Predicted by the rule and known. */
  readonly examples: readonly Triple[];
  /** Predicted by the rule and not known. */
  readonly counterExamples: readonly Triple[];
}

const signed = (name: RelationName, negated: boolean): string => (negated ? '-' : '+') + name;
const VARIABLES = ['x', 'a', 'b', 'c', 'd'];
const variable = (name: string): RuleTerm => ({ kind: 'variable', name });
function shared(list: readonly number[]): Int32Array {
  const array = new Int32Array(new SharedArrayBuffer(list.length * 4));
  array.set(list);
  return array;
}
/** Digits of a confidence that a rule carries. */
const round = (value: number): number => Math.max(1e-6, Math.round(value * 1e6) / 1e6);

/** Numbers for the terms and relations of one induction. Facts that are known to be false teach rules with strong negation. */
export class Words {
  readonly terms = new Interner();
  readonly relations: RelationName[] = [];
  /** What is known to be false is a relation of its own. */
  readonly #negated: boolean[] = [];
  readonly #relationIds = new Map<string, number>();
  /** Facts, subjects and objects of each relation; the measures need them. */
  readonly #facts: number[] = [];
  readonly #ends: [Set<number>, Set<number>][] = [];
  readonly #columns: [number[], number[], number[]] = [[], [], []];
  readonly #seen = new Set<string>();
  /** Nodes that a step leads to a node: for rules with a constant in the head. */
  readonly #sets = new Map<string, number>();

  get facts(): number {
    return this.#columns[0].length;
  }
  relation(name: RelationName, negated = false): number | undefined {
    return this.#relationIds.get(signed(name, negated));
  }
  /** Takes a fact in; the same triple twice is one fact. */
  add({ subject, relation, object, negated = false }: Triple): void {
    const [s, o] = [this.terms.intern(entity(subject)), this.terms.intern(object)];
    let r = this.relation(relation, negated);
    if (r === undefined) {
      this.#relationIds.set(signed(relation, negated), (r = this.relations.length));
      this.relations.push(relation);
      this.#negated.push(negated);
      this.#facts.push(0);
      this.#ends.push([new Set(), new Set()]);
    }
    const key = `${s} ${r} ${o}`;
    if (this.#seen.has(key)) return;
    this.#seen.add(key);
    this.#facts[r]++;
    this.#ends[r][0].add(s);
    this.#ends[r][1].add(o);
    for (const set of [`${2 * r} ${o}`, `${2 * r + 1} ${s}`]) this.#sets.set(set, (this.#sets.get(set) ?? 0) + 1);
    this.#columns[0].push(s);
    this.#columns[1].push(r);
    this.#columns[2].push(o);
  }
  /** The facts in memory that threads share. `ordered`: with the order of numbers and dates. */
  columns(ordered = false): FactColumns {
    const [subjects, predicates, objects] = this.#columns.map(shared);
    this.#seen.clear();
    return { nodes: this.terms.size, relations: this.relations.length, subjects, predicates, objects, ...(ordered ? this.#order() : {}) };
  }
  #order(): Pick<FactColumns, 'ranks' | 'firstDate'> {
    const ranks = shared(Array.from({ length: this.terms.size }, () => -1));
    let [next, firstDate] = [0, 0];
    for (const type of ['number', 'date'] as const) {
      firstDate = next;
      const nodes = Array.from({ length: this.terms.size }, (_, id) => id).filter((id) => {
        const term = this.terms.term(id);
        return term.kind === 'literal' && term.type === type;
      });
      const order = (a: number, b: number): number => literalOrder(this.terms.term(a), this.terms.term(b));
      nodes.sort((a, b) => order(a, b) || a - b);
      nodes.forEach((id, i) => {
        if (i > 0 && order(nodes[i - 1], id) !== 0) next++;
        ranks[id] = next;
      });
      if (nodes.length > 0) next++;
    }
    return { ranks, firstDate };
  }
  /** Relations whose mere presence says nothing: everything is of some kind. */
  vacuous(): number[] {
    const isA = this.relation(IS_A as RelationName);
    return isA === undefined ? [] : [isA];
  }

  /** One row as a rule whose confidence is as measured. */
  rule(rules: RuleColumns, at: number, confidenceBy: 'standard' | 'pca'): { readonly rule: Rule; readonly measures: Measures } {
    const row = rules.data.subarray(at * STRIDE, (at + 1) * STRIDE);
    const measures = this.#measures(row);
    const { head, body } = row[KIND] === PATH ? this.#path(row) : this.#constants(row);
    return { rule: makeRule({ confidence: round(confidenceBy === 'pca' ? measures.pcaConfidence : measures.confidence), heads: [head], body }), measures };
  }
  mined(rules: RuleColumns, at: number, confidenceBy: 'standard' | 'pca', { known, unknown }: Examples): MinedRule {
    const relation = rules.data[at * STRIDE + HEAD] >> 1;
    const triples = (list: readonly number[]): Triple[] => {
      const found: Triple[] = [];
      for (let i = 0; i < list.length; i += 2) {
        const subject = this.terms.term(list[i]);
        // A rule may be met where its head would be no triple.
        if (subject.kind === 'entity') found.push({ subject: subject.id, object: this.terms.term(list[i + 1]), ...this.#signedRelation(relation) });
      }
      return found;
    };
    return { ...this.rule(rules, at, confidenceBy), examples: triples(known), counterExamples: triples(unknown) };
  }

  #measures(row: Int32Array): Measures {
    const relation = row[HEAD] >> 1;
    const [support, predictions] = [row[SUPPORT], row[COVER]];
    const [subjects, objects] = this.#ends[relation].map((set) => set.size);
    const withHead = (row[HEAD] & 1) === 0 ? subjects : objects;
    const size = row[KIND] === PATH ? this.#facts[relation] : (this.#sets.get(`${row[HEAD]} ${row[CONSTANT]}`) ?? 0);
    // Among what PCA counts: nodes with the head's step; pairs of which one end has some fact of the head, by the end of which there are more.
    const prior = row[KIND] === PATH ? size / (Math.max(subjects, objects) * this.terms.size) : size / withHead;
    const pcaConfidence = row[PCA] === 0 ? 0 : support / row[PCA];
    return {
      support,
      predictions,
      headCoverage: size === 0 ? 0 : support / size,
      confidence: support / predictions,
      pcaConfidence,
      lift: prior === 0 ? 0 : pcaConfidence / prior,
      interval: wilson(support, predictions),
      exact: row[EXACT] === 1,
    };
  }
  #signedRelation(id: number): { readonly relation: RelationName; readonly negated?: true } {
    return { relation: this.relations[id], ...(this.#negated[id] ? { negated: true } : {}) };
  }
  #atom(step: number, from: RuleTerm, to: RuleTerm): Atom {
    const relation = this.#signedRelation(step >> 1);
    return (step & 1) === 0 ? { ...relation, subject: from, object: to } : { ...relation, subject: to, object: from };
  }
  #path(row: Int32Array): { readonly head: Atom; readonly body: BodyItem[] } {
    const length = row[LENGTH];
    const variables = Array.from({ length: length + 1 }, (_, i) => variable(i === length ? 'y' : VARIABLES[i]));
    const body: BodyItem[] = [];
    for (let i = 0; i < length; i++) body.push(this.#atom(row[BODY + i], variables[i], variables[i + 1]));
    for (let i = 0; i < length; i++)
      for (let j = i + 1; j <= length; j++)
        if ((row[DIFFER] & pairBit(i, j)) !== 0) body.push({ kind: 'compare', operator: '!=', left: variables[i], right: variables[j] });
    return { head: this.#atom(row[HEAD], variables[0], variables[length]), body };
  }
  #range(row: Int32Array): BodyItem[] {
    const [step, low, high, classStep, of] = row.subarray(BODY);
    const body: BodyItem[] = [this.#atom(step, variable('x'), variable('y'))];
    if (classStep >= 0) body.unshift(this.#atom(classStep, variable('x'), this.terms.term(of)));
    for (const [operator, bound] of [
      ['>=', low],
      ['<=', high],
    ] as const)
      if (bound >= 0) body.push({ kind: 'compare', operator, left: variable('y'), right: this.terms.term(bound) });
    return body;
  }
  #exception(row: Int32Array): BodyItem[] {
    const [step, node, other, end] = row.subarray(BODY);
    const body: BodyItem[] = [this.#atom(step, variable('x'), node < 0 ? variable('y') : this.terms.term(node))];
    if (end >= 0) body.push({ ...this.#atom(other, variable('x'), this.terms.term(end)), absent: true });
    // Nothing at all: there are none of them.
    else body.push({ kind: 'aggregate', function: 'count', result: literal(0), of: [variable('z')], body: [this.#atom(other, variable('x'), variable('z'))] });
    return body;
  }
  #constants(row: Int32Array): { readonly head: Atom; readonly body: BodyItem[] } {
    const constant = this.terms.term(row[CONSTANT]);
    if (isRefined(row[KIND]))
      return { head: this.#atom(row[HEAD], variable('x'), constant), body: row[KIND] === RANGE ? this.#range(row) : this.#exception(row) };
    const end: RuleTerm = row[KIND] === BOUND ? this.terms.term(row[BODY + 1]) : variable('y');
    const body: BodyItem[] = [this.#atom(row[BODY], variable('x'), end)];
    if (row[KIND] === OPEN && row[DIFFER] !== 0) body.push({ kind: 'compare', operator: '!=', left: variable('y'), right: constant });
    return { head: this.#atom(row[HEAD], variable('x'), constant), body };
  }
}
