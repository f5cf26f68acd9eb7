// Owns the naive meaning of a learned rule's measures: every value tried for every variable, every triple looked for in a set.
// Refuses speed; it shares with the miner only the form of rules. It is what the miner is compared with.

import { entity, termKey, tripleKey } from '../../graph/terms.ts';
import type { Term, Triple } from '../../graph/terms.ts';
import type { Atom, BodyItem, Comparison, Rule, RuleTerm } from '../../graph/reason/types.ts';

type Bindings = ReadonlyMap<string, Term>;
const valueOf = (term: RuleTerm, bindings: Bindings): Term | undefined => (term.kind === 'variable' ? bindings.get(term.name) : term);
/** Between numbers, or dates (which are written alike here). */
function order(operator: Comparison['operator'], left: Term, right: Term): boolean {
  if (left.kind !== 'literal' || right.kind !== 'literal' || left.type !== right.type || !['number', 'date'].includes(left.type)) return false;
  return operator === '>=' ? left.value >= right.value : operator === '<=' && left.value <= right.value;
}
const isAtom = (item: Rule['body'][number]): item is Atom => !('kind' in item);

export interface NaiveMeasures {
  readonly support: number;
  readonly predictions: number;
  readonly pca: number;
  readonly headFacts: number;
  readonly predicted: ReadonlySet<string>;
  /** Some instance of head and body, all known, uses one fact twice. */
  readonly circular: boolean;
}

/** Facts of one small graph. */
export class NaiveFacts {
  readonly triples: readonly Triple[];
  readonly #keys: ReadonlySet<string>;
  constructor(triples: readonly Triple[]) {
    this.triples = [...new Map(triples.map((triple) => [tripleKey(triple), triple])).values()];
    this.#keys = new Set(this.triples.map(tripleKey));
  }
  has(triple: Triple): boolean {
    return this.#keys.has(tripleKey(triple));
  }

  /** Every way to meet a body. */
  *instances(items: readonly BodyItem[], bindings: Bindings = new Map()): Generator<Bindings> {
    const [first, ...rest] = items;
    if (!first) {
      yield bindings;
      return;
    }
    if ('kind' in first && first.kind === 'aggregate') {
      // `0 = count { ?z : p(?x, ?z) }`: nothing is p of ?x.
      const [some] = this.instances(first.body, bindings);
      if (!some) yield* this.instances(rest, bindings);
      return;
    }
    if ('kind' in first) {
      const [left, right] = [valueOf(first.left as RuleTerm, bindings), valueOf(first.right as RuleTerm, bindings)];
      if (!left || !right) throw new Error('a learned rule compares bound terms only');
      const { operator } = first;
      if (operator === '!=' ? termKey(left) !== termKey(right) : order(operator, left, right)) yield* this.instances(rest, bindings);
      return;
    }
    if (first.absent) {
      const [some] = this.instances([{ ...first, absent: false }], bindings);
      if (!some) yield* this.instances(rest, bindings);
      return;
    }
    for (const triple of this.triples) {
      if (triple.relation !== first.relation) continue;
      const next = new Map(bindings);
      const ends: [RuleTerm, Term][] = [
        [first.subject, entity(triple.subject)],
        [first.object, triple.object],
      ];
      const fits = ends.every(([term, value]) => {
        const bound = valueOf(term, next);
        if (bound) return termKey(bound) === termKey(value);
        if (term.kind === 'variable') next.set(term.name, value);
        return true;
      });
      if (fits) yield* this.instances(rest, next);
    }
  }

  measure(rule: Rule): NaiveMeasures {
    const [head] = rule.heads;
    const items = rule.body;
    const predictions = new Map<string, { readonly known: boolean; readonly subject: string; readonly object: string }>();
    let circular = false;
    for (const bindings of this.instances(items)) {
      const ground = (atom: Atom): string => {
        const [subject, object] = [valueOf(atom.subject, bindings), valueOf(atom.object, bindings)];
        return subject && object ? `${termKey(subject)} ${atom.relation} ${termKey(object)}` : '';
      };
      const [subject, object] = [valueOf(head.subject, bindings), valueOf(head.object, bindings)];
      if (!subject || !object) throw new Error(`the head of ${rule.text} is not bound by its body`);
      const known = subject.kind === 'entity' && this.has({ subject: subject.id, relation: head.relation, object });
      const used = items.flatMap((item) => (isAtom(item) && !item.absent ? [ground(item)] : []));
      if (known && new Set([...used, ground(head)]).size < used.length + 1) circular = true;
      predictions.set(ground(head), { known, subject: termKey(subject), object: termKey(object) });
    }
    const facts = this.triples.filter(({ relation }) => relation === head.relation);
    const [subjects, objects] = [new Set(facts.map(({ subject }) => termKey(entity(subject)))), new Set(facts.map(({ object }) => termKey(object)))];
    // With a constant at one end, it is the other end of which the relation has to be known.
    const bySubject = head.object.kind !== 'variable' || (head.subject.kind === 'variable' && subjects.size >= objects.size);
    const counted = [...predictions.values()].filter(({ subject, object }) => (bySubject ? subjects.has(subject) : objects.has(object)));
    const matching = facts.filter(
      ({ subject, object }) =>
        (head.subject.kind === 'variable' || termKey(head.subject) === termKey(entity(subject))) &&
        (head.object.kind === 'variable' || termKey(head.object) === termKey(object)),
    );
    return {
      support: [...predictions.values()].filter(({ known }) => known).length,
      predictions: predictions.size,
      pca: counted.length,
      headFacts: matching.length,
      predicted: new Set(predictions.keys()),
      circular,
    };
  }
}
