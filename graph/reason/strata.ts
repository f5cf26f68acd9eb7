// Owns the order in which relations can be completed, and the circle shown when there is none.
// Refuses to know terms, facts and how a rule is evaluated.

import { RuleError } from './errors.ts';
import type { Place } from './errors.ts';
import { isComparison } from './print.ts';
import { signed, unsigned } from './database.ts';
import type { SignedRelation } from './database.ts';
import type { Rule } from './types.ts';

interface Edge {
  readonly to: SignedRelation;
  readonly absent: boolean;
  readonly rule: Rule;
}

/**
 * Stratum of each relation that heads a rule: what a rule's body needs lies in the same stratum or below, what it needs under `not` strictly below.
 * Throws RuleError `unstratifiable`, whose message shows one circle. Strongly connected components by Tarjan (SIAM J. Comput. 1972), without recursion.
 */
export function stratify(rules: readonly Rule[], placeOf: (rule: Rule) => Place = () => ({})): Map<SignedRelation, number> {
  const edges = new Map<SignedRelation, Edge[]>();
  for (const rule of rules)
    for (const head of rule.heads) {
      const from = signed(head.relation, head.negated);
      let list = edges.get(from);
      if (!list) edges.set(from, (list = []));
      for (const item of rule.body) if (!isComparison(item)) list.push({ to: signed(item.relation, item.negated), absent: item.absent === true, rule });
    }
  const strata = new Map<SignedRelation, number>();
  for (const component of components(edges)) {
    const members = new Set(component);
    let stratum = 0;
    for (const member of component)
      for (const edge of edges.get(member) as Edge[]) {
        if (members.has(edge.to)) {
          if (edge.absent) throw circle(edges, members, member, edge, placeOf);
        } else if (strata.has(edge.to)) stratum = Math.max(stratum, (strata.get(edge.to) as number) + (edge.absent ? 1 : 0));
      }
    for (const member of component) strata.set(member, stratum);
  }
  return strata;
}

/** Components of the relations that head rules, each after those it depends on. */
function components(edges: ReadonlyMap<SignedRelation, readonly Edge[]>): SignedRelation[][] {
  const order = new Map<SignedRelation, number>();
  const low = new Map<SignedRelation, number>();
  const onStack = new Set<SignedRelation>();
  const stack: SignedRelation[] = [];
  const found: SignedRelation[][] = [];
  for (const root of edges.keys()) {
    if (order.has(root)) continue;
    const work: { node: SignedRelation; at: number }[] = [];
    const enter = (node: SignedRelation): void => {
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
        if (!edges.has(to)) continue;
        if (!order.has(to)) enter(to);
        else if (onStack.has(to)) low.set(frame.node, Math.min(low.get(frame.node) as number, order.get(to) as number));
        continue;
      }
      work.pop();
      const parent = work.at(-1);
      if (parent) low.set(parent.node, Math.min(low.get(parent.node) as number, low.get(frame.node) as number));
      if (low.get(frame.node) !== order.get(frame.node)) continue;
      const component: SignedRelation[] = [];
      let node: SignedRelation;
      do {
        node = stack.pop() as SignedRelation;
        onStack.delete(node);
        component.push(node);
      } while (node !== frame.node);
      found.push(component);
    }
  }
  return found;
}

const shown = (key: SignedRelation): string => {
  const { relation, negated } = unsigned(key);
  return (negated ? '-' : '') + (/^[\p{L}_][\p{L}\p{M}\p{N}_]*$/u.test(relation) ? relation : JSON.stringify(relation));
};

function circle(edges: ReadonlyMap<SignedRelation, readonly Edge[]>, members: ReadonlySet<SignedRelation>, from: SignedRelation, first: Edge, placeOf: (rule: Rule) => Place): RuleError {
  // Shortest way back from the negated relation to the one that needs its absence.
  const via = new Map<SignedRelation, { from: SignedRelation; edge: Edge }>();
  const queue: SignedRelation[] = [first.to];
  const seen = new Set(queue);
  for (let i = 0; i < queue.length && !seen.has(from); i++)
    for (const edge of edges.get(queue[i]) ?? [])
      if (members.has(edge.to) && !seen.has(edge.to)) {
        seen.add(edge.to);
        via.set(edge.to, { from: queue[i], edge });
        queue.push(edge.to);
      }
  const back: Edge[] = [];
  for (let node = from; node !== first.to; ) {
    const step = via.get(node) as { from: SignedRelation; edge: Edge };
    back.unshift(step.edge);
    node = step.from;
  }
  const way = [first, ...back];
  const path = [shown(from), ...way.map((edge) => `${edge.absent ? 'not ' : ''}${shown(edge.to)}`)].join(' -> ');
  const texts = [...new Set(way.map((edge) => edge.rule.text))].slice(0, 8).join('  ');
  return new RuleError('unstratifiable', `negation runs in a circle: ${path}; a relation cannot depend on its own absence. Rules of the circle: ${texts}`, {
    ...placeOf(first.rule),
    rule: first.rule.name ?? first.rule.text,
  });
}
