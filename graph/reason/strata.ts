// Owns the order in which relations can be completed, and the circle shown when there is none.
// Refuses to know terms, facts and how a rule is evaluated.

import { RuleError } from './errors.ts';
import type { Place } from './errors.ts';
import { atomsOf } from './body.ts';
import { IS_A, printName } from './print.ts';
import { signed, unsigned } from './database.ts';
import type { SignedRelation } from './database.ts';
import type { Atom, Rule } from './types.ts';
import { termKey } from '../terms.ts';

/** What stands on one side of a dependency: a signed relation with one constant object (such as a class), with any other object, or all of it. */
type Node = string;
const whole = (relation: SignedRelation): Node => `${relation}\u0000*`;
/** What a head with this atom adds to. */
function headNode(head: Atom): Node {
  const relation = signed(head.relation, head.negated);
  return head.object.kind === 'variable' ? `${relation}\u0000` : `${relation}\u0000=${termKey(head.object)}`;
}

interface Edge {
  readonly to: Node;
  readonly absent: boolean;
  /** The name of the aggregate under which the relation stands. */
  readonly aggregate?: string;
  /** Absent between the whole of a relation and its parts. */
  readonly rule: Rule | undefined;
}

/** The stratum of what a head adds to. */
export interface Strata {
  of(head: Atom): number;
}

/**
 * Order in which to run rules: what a rule's body needs lies in the same stratum or below, what it needs under `not` strictly below. `p(?x, c)` with a constant `c` depends
 * only on rules whose head could be that, so that `flies(?x) :- bird(?x), not penguin(?x).` is no circle, although all three are "is a".
 * Throws RuleError `unstratifiable`, whose message shows one circle. Strongly connected components by Tarjan (SIAM J. Comput. 1972), without recursion.
 */
export function stratify(rules: readonly Rule[], placeOf: (rule: Rule) => Place = () => ({})): Strata {
  const edges = new Map<Node, Edge[]>();
  for (const rule of rules)
    for (const head of rule.heads) {
      const node = headNode(head);
      if (edges.has(node)) continue;
      edges.set(node, []);
      const all = whole(signed(head.relation, head.negated));
      const part: Edge = { to: node, absent: false, rule: undefined };
      const parts = edges.get(all);
      if (parts) parts.push(part);
      else edges.set(all, [part]);
    }
  for (const rule of rules)
    for (const head of rule.heads) {
      const list = edges.get(headNode(head)) as Edge[];
      for (const { atom, closed, aggregate } of atomsOf(rule.body)) {
        const relation = signed(atom.relation, atom.negated);
        const needed = atom.object.kind === 'variable' ? [whole(relation)] : [headNode(atom), `${relation}\u0000`];
        for (const to of needed) if (edges.has(to)) list.push({ to, absent: closed, ...(aggregate ? { aggregate: aggregate.function } : {}), rule });
      }
    }
  const strata = new Map<Node, number>();
  for (const component of components(edges)) {
    const members = new Set(component);
    let stratum = 0;
    for (const member of component)
      for (const edge of edges.get(member) as Edge[]) {
        if (members.has(edge.to)) {
          if (edge.absent) throw circle(edges, members, member, edge, placeOf);
        } else stratum = Math.max(stratum, (strata.get(edge.to) as number) + (edge.absent ? 1 : 0));
      }
    for (const member of component) strata.set(member, stratum);
  }
  return { of: (head) => strata.get(headNode(head)) as number };
}

/** Components of the relations that head rules, each after those it depends on. */
function components(edges: ReadonlyMap<Node, readonly Edge[]>): Node[][] {
  const order = new Map<Node, number>();
  const low = new Map<Node, number>();
  const onStack = new Set<Node>();
  const stack: Node[] = [];
  const found: Node[][] = [];
  for (const root of edges.keys()) {
    if (order.has(root)) continue;
    const work: { node: Node; at: number }[] = [];
    const enter = (node: Node): void => {
      order.set(node, order.size);
      low.set(node, order.get(node) as number);
      stack.push(node);
      onStack.add(node);
      work.push({ node, at: 0 });
    };
    enter(root);
    while (work.length > 0) {
      const frame = work[work.length - 1];
      const list = edges.get(frame.node) as readonly Edge[];
      if (frame.at < list.length) {
        const { to } = list[frame.at++];
        if (!order.has(to)) enter(to);
        else if (onStack.has(to)) low.set(frame.node, Math.min(low.get(frame.node) as number, order.get(to) as number));
        continue;
      }
      work.pop();
      const parent = work.at(-1);
      if (parent) low.set(parent.node, Math.min(low.get(parent.node) as number, low.get(frame.node) as number));
      if (low.get(frame.node) !== order.get(frame.node)) continue;
      const component: Node[] = [];
      let node: Node;
      do {
        node = stack.pop() as Node;
        onStack.delete(node);
        component.push(node);
      } while (node !== frame.node);
      found.push(component);
    }
  }
  return found;
}

function shown(node: Node): string {
  const [relation, part] = node.split('\u0000') as [SignedRelation, string];
  const { relation: name, negated } = unsigned(relation);
  const sign = negated ? '-' : '';
  if (!part.startsWith('=')) return sign + printName(name);
  const object = part.startsWith('=e') ? printName(part.slice(2)) : part.slice(part.indexOf('\u0001') + 1);
  return name === IS_A && part.startsWith('=e') ? sign + object : `${sign}${printName(name)}(.., ${object})`;
}

function circle(edges: ReadonlyMap<Node, readonly Edge[]>, members: ReadonlySet<Node>, from: Node, first: Edge, placeOf: (rule: Rule) => Place): RuleError {
  // Shortest way back from the negated relation to the one that needs its absence.
  const via = new Map<Node, { from: Node; edge: Edge }>();
  const queue: Node[] = [first.to];
  const seen = new Set(queue);
  for (let i = 0; i < queue.length && !seen.has(from); i++)
    for (const edge of edges.get(queue[i]) ?? [])
      if (members.has(edge.to) && !seen.has(edge.to)) {
        seen.add(edge.to);
        via.set(edge.to, { from: queue[i], edge });
        queue.push(edge.to);
      }
  const back: Edge[] = [];
  for (let node = from; node !== first.to;) {
    const step = via.get(node) as { from: Node; edge: Edge };
    back.unshift(step.edge);
    node = step.from;
  }
  const way = [first, ...back];
  // The step from a whole relation to its part is no rule's; only the part is shown.
  const steps = way.flatMap((edge, i) =>
    edge.rule
      ? [
          {
            word: edge.aggregate ? `${edge.aggregate} of ` : edge.absent ? 'not ' : '',
            to: way[i + 1]?.rule === undefined ? (way[i + 1]?.to ?? edge.to) : edge.to,
          },
        ]
      : [],
  );
  const path = [shown(from), ...steps.map(({ word, to }) => word + shown(to))].join(' -> ');
  const texts = [...new Set(way.flatMap((edge) => edge.rule?.text ?? []))].slice(0, 8).join('  ');
  const { rule } = first;
  const where = rule ? { ...placeOf(rule), rule: rule.name ?? rule.text } : {};
  return new RuleError(
    'unstratifiable',
    first.aggregate
      ? `aggregation runs in a circle: ${path}; a relation cannot depend on the ${first.aggregate} of itself. Rules of the circle: ${texts}`
      : `negation runs in a circle: ${path}; a relation cannot depend on its own absence. Rules of the circle: ${texts}`,
    where,
  );
}
