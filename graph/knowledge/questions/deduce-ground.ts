// Owns deciding one triple with hypotheses and by any semantics: entailed, refuted or neither, how sure, with its proofs.
// Refuses to know how anything is derived and what refutes what. Nothing here is written.

import { entity } from '../../terms.ts';
import type { Triple } from '../../terms.ts';
import { isAtom } from '../../reason/language/body.ts';
import { decisiveGoals, refutationOf } from '../../reason/rulesets/refutation.ts';
import type { Refutation } from '../../reason/rulesets/refutation.ts';
import type { Atom, Budget, Proof, Rule } from '../../reason/types.ts';
import { groundedResult, validityOf } from '../worlds/answers.ts';
import type { Reading } from '../worlds/answers.ts';
import type { DeduceContext } from '../worlds/context.ts';
import { bareTriple } from '../facts/facts.ts';
import { goalRows } from '../worlds/goals.ts';
import { groundIn } from '../worlds/ground.ts';
import { derive } from '../worlds/hypothesis.ts';
import type { Hypothesis } from '../worlds/hypothesis.ts';
import type { DeduceResult } from '../common/types.ts';
import { probabilities, weigh } from './uncertainty.ts';
import { DatabaseWorld, Prover } from '../worlds/world.ts';

/** Decides a goal without variables. What is known to be false is weighed, and has all its proofs, like what is known to be true. */
export async function deduceGround(
  asked: Triple,
  hypothesis: Hypothesis,
  { budget, semantics, proofs: most }: Reading,
  context: DeduceContext,
  signal?: AbortSignal,
): Promise<DeduceResult> {
  const began = performance.now();
  const left = (): Budget => ({ ...budget, ms: Math.max(0, budget.ms - (performance.now() - began)) });
  const allDerivations = semantics !== 'best' || most > 1;
  const refutation = allDerivations ? refutationOf(asked, hypothesis) : undefined;
  const goals = [...decisiveGoals(asked, hypothesis), ...(refutation ? [refutation.goal] : [])];
  const supposing = (rules: readonly Rule[]): Hypothesis => ({ ...hypothesis, rules: [...hypothesis.rules, ...rules] });
  // To conclude from absence would take deriving all of the relation, and is sure anyway.
  const { program, run, goalDirected, derived, tellings } = await derive(
    supposing(refutation?.rules.filter(isMonotone) ?? []),
    { goals, allDerivations },
    budget,
    context.reader,
    context.now,
    signal,
  );
  const { database } = program;
  const prover = new Prover(program, context.reader, context.proofs, tellings, { until: began + budget.ms, settled: run.complete });
  const grounded = await groundIn(new DatabaseWorld(program, prover, hypothesis, run.complete), asked);
  let { outcome, answers, refutation: against, ...rest } = groundedResult(grounded, asked, run.limit, context.keep);
  if (prover.late) rest = { ...rest, complete: false, limit: rest.limit ?? 'ms' };
  const negative = refutation && [...goalRows(refutation.goal, database)][0];
  const statistics = (): DeduceResult['statistics'] => ({
    derived: derived - (negative ? 1 : 0),
    rounds: run.rounds,
    ms: performance.now() - began,
    ...(goalDirected ? { goalDirected } : {}),
  });
  const result = (): DeduceResult => ({ outcome, answers, ...(against ? { refutation: against } : {}), ...rest, statistics: statistics() });
  if (!refutation) return result();

  // The triple that was decided, and the row that says so.
  const isNegative = (outcome === 'entailed') === (asked.negated === true);
  const at = outcome === 'not_entailed' ? undefined : isNegative ? negative : database.find({ ...bareTriple(asked), negated: false });
  if (at && (semantics === 'noisy_or' || semantics === 'possibility') && grounded.held?.confidence !== 1) {
    const [confidence] = await weigh({ program, tellings }, [at], semantics, left(), signal);
    answers = answers.map((answer) => ({ ...answer, confidence }));
    against &&= { ...against, confidence };
  }
  if (most > 1 && outcome === 'entailed') {
    const { proofs: found, late } = at ? await prover.alternatives(at, most, left(), signal) : { proofs: [], late: false };
    if (late) rest = { ...rest, complete: false, limit: rest.limit ?? 'ms' };
    const ids = new Set(found.map((proof) => context.keep(isNegative ? namedRefutation(proof, asked, refutation) : proof)));
    const { proofId } = answers[0];
    const proofIds = [...(proofId === undefined || ids.has(proofId) ? [] : [proofId]), ...ids].slice(0, most);
    if (proofIds.length > 0)
      answers = [{ ...answers[0], proofId: proofIds[0], proofIds, ...(found.length > 0 && ids.has(proofIds[0]) ? validityOf(found[0]) : {}) }];
  }
  if (semantics === 'exact') {
    const positive: Atom = { relation: asked.relation, subject: entity(asked.subject), object: asked.object };
    const chance = async (negated: boolean): Promise<number> => {
      const [sole] = await probabilities(negated ? refutation.goal : positive, negated ? supposing(refutation.rules) : hypothesis, [], left(), context, signal);
      return sole?.confidence ?? 0;
    };
    const confidence = await chance(asked.negated === true);
    const opposite = confidence > 0 ? 0 : await chance(asked.negated !== true);
    outcome = confidence > 0 ? 'entailed' : opposite > 0 ? 'refuted' : outcome;
    const [proved] = answers;
    answers = confidence > 0 ? [proved ? { ...proved, confidence } : { bindings: {}, triple: asked, confidence }] : [];
    against = opposite > 0 ? { ...against, confidence: opposite } : undefined;
  }
  return result();
}
const isMonotone = ({ body }: Rule): boolean => body.every((item) => !isAtom(item) || !item.absent);
/** The proof as the base's rules and declarations give it. */
function namedRefutation(proof: Proof, { subject, relation, object }: Triple, { named }: Refutation): Proof {
  if (proof.kind !== 'rule') return proof;
  const refuter = named.get(proof.rule.id);
  const conclusion: Triple = { subject, relation, object, negated: true };
  return refuter ? { ...proof, conclusion, rule: refuter.rule, bindings: { ...refuter.bindings, ...proof.bindings } } : proof.premises[0];
}
