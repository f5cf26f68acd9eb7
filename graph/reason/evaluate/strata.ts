// Owns the order in which relations can be completed, and the circle shown when there is none.
// Refuses to know facts and how a rule is evaluated.

import { RuleError } from '../errors.ts';
import type { Place } from '../errors.ts';
import { atomsOf, isAtom } from '../language/body.ts';
import { components } from './components.ts';
import type { Graph } from './components.ts';
import { pauses, RULE_TURNS, runNow } from './run.ts';
import { IS_A, printName, printTerm } from '../language/print.ts';
import type { Atom, Rule } from '../types.ts';
import { termKey } from '../../terms.ts';
import type { Term } from '../../terms.ts';

/** What stands on one side of a dependency: a signed relation with one constant object (such as a class), with any other object, or all of it. Numbered from 0. */
type Node = number;
/** The nodes of one signed relation. */
interface Parts {
  readonly whole: Node;
  /** Objects that no head fixes; -1 when there is no such head. */
  open: Node;
  readonly entities: Map<string, Node>;
  readonly literals: Map<string, Node>;
}
/** `object`: absent when the node is no part with one constant object. */
interface Named {
  readonly relation: string;
  readonly negated: boolean;
  readonly object: Term | undefined;
}

/** What heads add to. */
class Nodes {
  readonly names: Named[] = [];
  readonly #positive = new Map<string, Parts>();
  readonly #negative = new Map<string, Parts>();

  /** The relation of a head; undefined when there is none. */
  parts({ relation, negated }: Atom): Parts | undefined {
    return (negated ? this.#negative : this.#positive).get(relation);
  }
  /** The part of a relation with this atom's object; -1 when no head adds to just that. */
  part(parts: Parts, { object }: Atom): Node {
    if (object.kind === 'variable') return parts.open;
    return (object.kind === 'entity' ? parts.entities.get(object.id) : parts.literals.get(termKey(object))) ?? -1;
  }
  /** Makes the nodes of a head. Returns the part when it is new, else -1. */
  add(head: Atom): Node {
    const { relation, object } = head;
    const negated = head.negated === true;
    let parts = this.parts(head);
    if (!parts) {
      parts = { whole: this.names.push({ relation, negated, object: undefined }) - 1, open: -1, entities: new Map(), literals: new Map() };
      (negated ? this.#negative : this.#positive).set(relation, parts);
    }
    if (this.part(parts, head) >= 0) return -1;
    const node = this.names.push({ relation, negated, object: object.kind === 'variable' ? undefined : object }) - 1;
    if (object.kind === 'variable') parts.open = node;
    else if (object.kind === 'entity') parts.entities.set(object.id, node);
    else parts.literals.set(termKey(object), node);
    return node;
  }
}

/** Edges from what is added to what that needs. */
class Edges implements Graph {
  readonly first: Node[] = [];
  readonly next: number[] = [];
  readonly to: Node[] = [];
  /** 1: what is needed must not hold, or is counted. */
  readonly closed: number[] = [];
  /** Absent between the whole of a relation and its parts. */
  readonly rules: (Rule | undefined)[] = [];
  /** The name of the aggregate under which the relation stands, by edge. */
  readonly aggregates = new Map<number, string>();
  readonly #last: number[] = [];

  get nodes(): number {
    return this.first.length;
  }
  /** Room for the nodes up to this one. */
  reach(node: Node): void {
    while (this.first.length <= node) {
      this.first.push(-1);
      this.#last.push(-1);
    }
  }
  add(from: Node, to: Node, closed: boolean, rule: Rule | undefined, aggregate?: string): void {
    const edge = this.to.push(to) - 1;
    this.next.push(-1);
    this.closed.push(closed ? 1 : 0);
    this.rules.push(rule);
    if (aggregate !== undefined) this.aggregates.set(edge, aggregate);
    if (this.#last[from] < 0) this.first[from] = edge;
    else this.next[this.#last[from]] = edge;
    this.#last[from] = edge;
  }
}

/** The stratum of what a head adds to. */
export interface Strata {
  of(head: Atom): number;
}
/** Without `not` and aggregates everything may run together. */
const TOGETHER: Strata = { of: () => 0 };
const isOpen = ({ body }: Rule): boolean => body.every((item) => (isAtom(item) ? !item.absent : item.kind === 'compare'));

/**
 * Order in which to run rules: what a rule's body needs lies in the same stratum or below, what it needs under `not` strictly below. `p(?x, c)` with a constant `c` depends
 * only on rules whose head could be that, so that `flies(?x) :- bird(?x), not penguin(?x).` is no circle, although all three are "is a".
 * Throws RuleError `unstratifiable`, whose message shows one circle.
 */
export const stratify = (rules: readonly Rule[], placeOf?: (rule: Rule) => Place): Strata => runNow(stratifying(rules, placeOf));
/** The same in slices. */
export function* stratifying(rules: readonly Rule[], placeOf: (rule: Rule) => Place = () => ({})): Generator<void, Strata> {
  if (rules.every(isOpen)) return TOGETHER;
  const nodes = new Nodes();
  const edges = new Edges();
  const pause = pauses(RULE_TURNS);
  for (const rule of rules) {
    if (pause()) yield;
    for (const head of rule.heads) {
      const node = nodes.add(head);
      if (node < 0) continue;
      edges.reach(node);
      edges.add((nodes.parts(head) as Parts).whole, node, false, undefined);
    }
  }
  for (const rule of rules) {
    if (pause()) yield;
    for (const head of rule.heads) {
      const from = nodes.part(nodes.parts(head) as Parts, head);
      for (const { atom, closed, aggregate } of atomsOf(rule.body)) {
        const parts = nodes.parts(atom);
        if (!parts) continue;
        for (const to of atom.object.kind === 'variable' ? [parts.whole] : [nodes.part(parts, atom), parts.open])
          if (to >= 0) edges.add(from, to, closed, rule, aggregate?.function);
      }
    }
  }
  const strata = new Int32Array(edges.nodes);
  const component = new Int32Array(edges.nodes).fill(-1);
  components(edges, (members, number) => {
    for (const member of members) component[member] = number;
    let stratum = 0;
    for (const member of members)
      for (let edge = edges.first[member]; edge >= 0; edge = edges.next[edge]) {
        const to = edges.to[edge];
        if (component[to] === number) {
          if (edges.closed[edge] === 1) throw circle(nodes.names, edges, (node) => component[node] === number, member, edge, placeOf);
        } else stratum = Math.max(stratum, strata[to] + edges.closed[edge]);
      }
    for (const member of members) strata[member] = stratum;
  });
  return {
    of(head) {
      const parts = nodes.parts(head);
      const node = parts ? nodes.part(parts, head) : -1;
      return node < 0 ? 0 : strata[node];
    },
  };
}

function shown({ relation, negated, object }: Named): string {
  const sign = negated ? '-' : '';
  if (object === undefined) return sign + printName(relation);
  if (relation === IS_A && object.kind === 'entity') return sign + printName(object.id);
  return `${sign}${printName(relation)}(.., ${object.kind === 'entity' ? printTerm(object) : String(object.value)})`;
}

function circle(
  names: readonly Named[],
  edges: Edges,
  isMember: (node: Node) => boolean,
  from: Node,
  first: number,
  placeOf: (rule: Rule) => Place,
): RuleError {
  // Shortest way back from the negated relation to the one that needs its absence.
  const via = new Map<Node, { from: Node; edge: number }>();
  const queue: Node[] = [edges.to[first]];
  const seen = new Set(queue);
  for (let i = 0; i < queue.length && !seen.has(from); i++)
    for (let edge = edges.first[queue[i]]; edge >= 0; edge = edges.next[edge]) {
      const to = edges.to[edge];
      if (!isMember(to) || seen.has(to)) continue;
      seen.add(to);
      via.set(to, { from: queue[i], edge });
      queue.push(to);
    }
  const back: number[] = [];
  for (let node = from; node !== edges.to[first];) {
    const step = via.get(node) as { from: Node; edge: number };
    back.unshift(step.edge);
    node = step.from;
  }
  const way = [first, ...back];
  // The step from a whole relation to its part is no rule's; only the part is shown.
  const steps = way.flatMap((edge, i) => {
    if (!edges.rules[edge]) return [];
    const aggregate = edges.aggregates.get(edge);
    const behind = way[i + 1];
    return [
      {
        word: aggregate ? `${aggregate} of ` : edges.closed[edge] === 1 ? 'not ' : '',
        to: edges.to[behind !== undefined && !edges.rules[behind] ? behind : edge],
      },
    ];
  });
  const path = [shown(names[from]), ...steps.map(({ word, to }) => word + shown(names[to]))].join(' -> ');
  const texts = [...new Set(way.flatMap((edge) => edges.rules[edge]?.text ?? []))].slice(0, 8).join('  ');
  // The rule that negates is named, unless only another of the circle is new and has a place.
  const rule = way.flatMap((edge) => edges.rules[edge] ?? []).find((each) => Object.keys(placeOf(each)).length > 0) ?? edges.rules[first];
  const where = rule ? { ...placeOf(rule), rule: rule.name ?? rule.text } : {};
  const aggregate = edges.aggregates.get(first);
  return new RuleError(
    'unstratifiable',
    aggregate
      ? `aggregation runs in a circle: ${path}; a relation cannot depend on the ${aggregate} of itself. Rules of the circle: ${texts}`
      : `negation runs in a circle: ${path}; a relation cannot depend on its own absence. Rules of the circle: ${texts}`,
    where,
  );
}
