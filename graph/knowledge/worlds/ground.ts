// Owns the three outcomes of asking for one triple in a world, and why it does not hold there.
// Refuses to know where the world's facts are kept, and what refutes what.

import type { Term, Triple } from '../../terms.ts';
import { isAtom, itemVariables, substituteItem } from '../../reason/language/body.ts';
import { refuterBody, refuters } from '../../reason/rulesets/refutation.ts';
import type { Refuter } from '../../reason/rulesets/refutation.ts';
import type { Atom, BodyItem, Comparison, Outcome, Proof } from '../../reason/types.ts';
import { holds } from '../../reason/language/values.ts';
import { bareTriple } from '../facts/facts.ts';
import { goalBindings } from './goals.ts';
import type { Held, World } from './world.ts';

export interface Grounded {
  readonly outcome: Outcome;
  /** Of the triple when entailed, of its negation when refuted. */
  readonly held?: Held;
}

/** Entailed, refuted or not entailed. A triple that holds is entailed even where something speaks against it as well. */
export async function groundIn(world: World, asked: Triple): Promise<Grounded> {
  const triple = bareTriple(asked);
  const positive: Triple = { subject: triple.subject, relation: triple.relation, object: triple.object };
  const holding = await world.hold(positive);
  if (holding) {
    // Of what holds and is known to be false as well, whichever side is asked for is entailed.
    const known = triple.negated ? await refutation(world, positive) : holding;
    return known ? { outcome: 'entailed', held: known } : { outcome: 'refuted', held: holding };
  }
  const against = await refutation(world, positive);
  if (!against) return { outcome: 'not_entailed' };
  return { outcome: triple.negated ? 'entailed' : 'refuted', held: against };
}

/** The surest reason why a triple does not hold: its negation, which is told or follows, or what is declared. */
async function refutation(world: World, positive: Triple): Promise<Held | undefined> {
  const known = await world.hold({ ...positive, negated: true });
  let best: { readonly refuter: Refuter; readonly way: Way } | undefined;
  let most = known?.confidence ?? 0;
  for (const refuter of refuters(positive, world.declared)) {
    if (most === 1) break;
    for await (const way of waysTo(world, refuterBody(refuter), refuter.bindings, 1)) {
      if (way.confidence <= most) continue;
      [best, most] = [{ refuter, way }, way.confidence];
      if (most === 1) break;
    }
  }
  return best ? conclude(world, positive, best.refuter, best.way) : known;
}

interface Way {
  readonly bindings: Readonly<Record<string, Term>>;
  readonly confidence: number;
}
/** Ways to meet all conditions in the world. */
async function* waysTo(world: World, body: readonly BodyItem[], bindings: Readonly<Record<string, Term>>, confidence: number): AsyncGenerator<Way> {
  const items = body.map((item) => substituteItem<BodyItem>(item, bindings));
  const at = nextOf(items);
  if (at < 0) {
    yield { bindings, confidence };
    return;
  }
  const item = items[at];
  const rest = items.filter((_, i) => i !== at);
  if (!isAtom(item)) {
    if (item.kind === 'compare' && holds(item, () => undefined)) yield* waysTo(world, rest, bindings, confidence);
  } else if (item.absent) {
    if (world.complete && !(await world.hold(tripleOf(item)))) yield* waysTo(world, rest, bindings, confidence);
  } else if (item.subject.kind !== 'literal')
    for await (const found of world.find(item)) yield* waysTo(world, rest, { ...bindings, ...goalBindings(item, found.triple) }, confidence * found.confidence);
}
/** What has no variables comes first, then the condition with fewest. */
function nextOf(items: readonly BodyItem[]): number {
  let [best, fewest] = [-1, Number.POSITIVE_INFINITY];
  items.forEach((item, i) => {
    const open = new Set(itemVariables(item)).size;
    if (open < fewest && (open === 0 || (isAtom(item) && !item.absent))) [best, fewest] = [i, open];
  });
  return best;
}
function tripleOf({ subject, relation, object, negated }: Atom): Triple {
  if (subject.kind !== 'entity' || object.kind === 'variable') throw new TypeError('a condition that is met has values');
  return { subject: subject.id, relation, object, ...(negated ? { negated } : {}) };
}

async function conclude(world: World, { subject, relation, object }: Triple, { rule }: Refuter, { bindings, confidence }: Way): Promise<Held> {
  const conclusion: Triple = { subject, relation, object, negated: true };
  const premises: Proof[] = [];
  for (const each of rule.body) {
    const item = substituteItem<BodyItem>(each, bindings);
    if (!isAtom(item)) premises.push({ kind: 'compare', conclusion: item as Comparison, confidence: 1 });
    else if (item.absent) premises.push({ kind: 'absent', conclusion: item, confidence: 1 });
    else {
      const held = await world.hold(tripleOf(item));
      if (!held?.proof) return { triple: conclusion, confidence };
      premises.push(held.proof);
    }
  }
  return { triple: conclusion, confidence, proof: { kind: 'rule', conclusion, confidence, rule, bindings, premises } };
}
