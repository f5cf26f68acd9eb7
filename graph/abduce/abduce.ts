// Owns abduction: which sets of assumptions, none of them larger than needed, make observations follow without breaking a constraint; smallest first, inside a budget.
// Refuses to know HTTP and how a base keeps its closure. Nothing here is written.
//
// By size, from none on: the search proposes assumptions with what must stay absent; each proposal is tried in a world of its own. Where an assumption makes something hold that
// should be absent, or breaks a constraint, the proof of that is looked at: each `not` it rests on may be defeated by further assumptions, which gives larger proposals. A proof
// that rests on no `not` closes the proposal; where it breaks a constraint, all larger ones, too. So nothing is lost where rules have negation, and what is found is not larger
// than needed (subset-minimal).

import { tripleKey } from '../terms.ts';
import type { Triple } from '../terms.ts';
import type { CheckResult } from '../reason/proofs/checker.ts';
import type { Slot } from '../reason/tables/database.ts';
import { runSliced } from '../reason/evaluate/evaluate.ts';
import { ProofTooLarge } from '../reason/proofs/explain.ts';
import type { ProofLimits } from '../reason/proofs/explain.ts';
import type { Proof } from '../reason/types.ts';
import type { FactReader } from '../knowledge/facts/facts.ts';
import type { AbsenceOracle } from '../knowledge/facts/assumptions.ts';
import { Tellings } from '../knowledge/facts/tellings.ts';
import { Prover } from '../knowledge/worlds/world.ts';
import { Assumables, patternOf } from './assumable.ts';
import { disjoint, includes, join, parts, Sets } from './environments.ts';
import type { Environment, Ids } from './environments.ts';
import { Model } from './model.ts';
import { Places } from './places.ts';
import { Proposals } from './proposals.ts';
import { named, scope } from './scope.ts';
import type { AbduceQuestion, Supposed } from './scope.ts';
import { Search } from './search.ts';
import type { AbduceLimit, AbduceResult, Explanation } from './types.ts';
import { Worlds } from './worlds.ts';
import type { Glimpse, Met, Rest } from './worlds.ts';

export interface AbduceContext {
  readonly reader: FactReader;
  readonly proofs: ProofLimits;
  readonly now: number;
  readonly keep: (proof: Proof) => string;
  /** Ways to break one constraint that are told apart before anything is assumed. */
  readonly breaches: number;
  /** Verifies a proof that may assume the triples, in a world that says what is absent. */
  readonly check: (proof: Proof, absence: AbsenceOracle, assumed: readonly Triple[]) => Promise<CheckResult>;
}
/** Looks for explanations. Throws RuleError, and the signal's reason. */
export async function abduce(question: AbduceQuestion, hypothesis: Supposed, context: AbduceContext, signal?: AbortSignal): Promise<AbduceResult> {
  const began = performance.now();
  const { budget, observations } = question;
  const { rules, constraints, keys, patterns } = await scope(question, hypothesis, context.reader);
  const { reader, now } = context;
  const { facts, removed } = hypothesis;
  const worlds = await Worlds.build({
    rules,
    constraints,
    facts,
    removed,
    keys,
    reader,
    now,
    budget: { ...budget, answers: 1 },
    breaches: context.breaches,
    signal,
  });
  const assumables = new Assumables(worlds.database, {
    patterns,
    named: named(question, hypothesis),
    values: question.values,
    places: new Places([...rules, { heads: [], body: observations }], worlds.database),
    never: question.assumable ? [] : observations.map((atom) => patternOf(atom, { cost: 0 })),
  });
  return new Abduction(question, new Model(rules, worlds.database, assumables), worlds, context, hypothesis, began, signal).run();
}

interface Found extends Explanation {
  readonly ids: Ids;
  /** Nodes of its proofs. */
  readonly nodes: number;
}
/** What trying a proposal showed: it explains; it breaks a constraint; something holds that should be absent; or it does not explain and nothing says why. */
type Verdict =
  | { readonly kind: 'explains'; readonly found: Found }
  | { readonly kind: 'inconsistent'; readonly by: Rest }
  | { readonly kind: 'undone'; readonly by: Rest }
  | { readonly kind: 'fails' };

/** Infinite numbers are equal. */
const byNumber = (a: number, b: number): number => (a === b ? 0 : a - b);
/** Explanations tried for each that is wanted, at most. */
const MORE = 10;

class Abduction {
  readonly #question: AbduceQuestion;
  readonly #model: Model;
  readonly #worlds: Worlds;
  readonly #context: AbduceContext;
  readonly #hypothesis: Supposed;
  readonly #began: number;
  readonly #deadline: number;
  readonly #signal: AbortSignal | undefined;
  readonly #found: Found[] = [];
  /** Explanations found, and sets that break a constraint whatever is added. */
  readonly #explained = new Sets();
  readonly #impossible = new Sets();
  #nodes = 0;
  #tried = 0;
  #inconsistent = 0;
  #limit: AbduceLimit | undefined;

  constructor(
    question: AbduceQuestion,
    model: Model,
    worlds: Worlds,
    context: AbduceContext,
    hypothesis: Supposed,
    began: number,
    signal: AbortSignal | undefined,
  ) {
    this.#question = question;
    this.#model = model;
    this.#worlds = worlds;
    this.#context = context;
    this.#hypothesis = hypothesis;
    this.#began = began;
    this.#deadline = began + question.budget.ms;
    this.#signal = signal;
  }

  async run(): Promise<AbduceResult> {
    const { budget } = this.#question;
    let exhausted = false;
    this.#limit = this.#worlds.run.limit === 'answers' ? undefined : this.#worlds.run.limit;
    if (this.#worlds.blind) this.#limit ??= 'facts';
    const already = await this.#judge([], []);
    if (already?.kind === 'explains') {
      this.#keep(already.found);
      exhausted = true;
    }
    for (let size = 1; size <= budget.size && !exhausted && this.#limit === undefined; size++) {
      exhausted = !(await this.#ofSize(size));
      if (this.#found.length >= budget.explanations && !exhausted && size < budget.size) this.#limit ??= 'explanations';
    }
    const ranked = this.#ranked();
    if (ranked.length > budget.explanations) this.#limit ??= 'explanations';
    return {
      explanations: ranked.slice(0, budget.explanations).map(({ ids: _ids, nodes: _nodes, ...explanation }) => explanation),
      complete: this.#limit === undefined,
      ...(this.#limit === undefined ? {} : { limit: this.#limit }),
      exhausted: exhausted && this.#limit === undefined,
      statistics: {
        nodes: this.#nodes,
        tried: this.#tried,
        inconsistent: this.#inconsistent,
        derived: this.#worlds.derived,
        ms: performance.now() - this.#began,
      },
    };
  }
  #keep(found: Found): void {
    this.#found.push(found);
    this.#explained.add(found.ids);
  }
  /**
   * Keeps what was found, or those parts of it that explain as well. The search proposes each part by itself, but for one thing: a value that it would not try, from a function or beside
   * the values of the request, may serve a second time where the search assumed another fact.
   */
  async #keepLeast(found: Found): Promise<void> {
    const strange =
      found.ids.length > 1 &&
      found.ids.map((id) => this.#model.atoms.get(id)).some(({ slot, subject, object }) => !this.#model.assumables.tries(slot, subject, object));
    const before = this.#found.length;
    for (const part of strange ? parts(found.ids) : []) {
      if (this.#explained.within(part) || this.#impossible.within(part)) continue;
      const verdict = await this.#judge(part, []);
      // What may hold more than is needed is left out.
      if (!verdict) return;
      if (verdict.kind === 'explains') this.#keep(verdict.found);
    }
    if (this.#found.length === before) this.#keep(found);
  }
  #ranked(): readonly Found[] {
    const probable = this.#found.every(({ probability }) => probability !== undefined);
    const minimal = this.#found.filter(
      (one) => !this.#found.some((other) => other !== one && other.ids.length < one.ids.length && includes(one.ids, other.ids)),
    );
    const text = ({ assume }: Found): string => assume.map(tripleKey).join(' ');
    const byWorth = (a: Found, b: Found): number => (probable ? (b.probability as number) - (a.probability as number) : a.cost - b.cost);
    const ranked = minimal.toSorted(
      (a, b) => byWorth(a, b) || b.confidence - a.confidence || byNumber(a.nodes, b.nodes) || a.ids.length - b.ids.length || (text(a) < text(b) ? -1 : 1),
    );
    if (this.#question.minimal === 'subset') return ranked;
    const least = Math.min(...ranked.map(({ cost }) => cost));
    return ranked.filter(({ cost }) => cost <= least);
  }

  /** Finds the explanations of at most `size` assumptions that are not known yet. Returns whether larger ones may exist. */
  async #ofSize(size: number): Promise<boolean> {
    const search = new Search(this.#model, size, [this.#explained, this.#impossible]);
    const label = search.ask(this.#model.question(this.#question.observations));
    await this.#drive(search);
    const proposals = new Proposals((ids) => this.#cost(ids));
    for (const environment of label.environments) proposals.add(environment);
    for (let proposal = proposals.take(); proposal; proposal = proposals.take()) {
      const { assumed, absent } = proposal;
      if (this.#explained.within(assumed) || this.#impossible.within(assumed)) continue;
      // The cheapest of a size come first; a few more than are wanted are looked at, for the order among equals.
      const enough = this.#found.length >= this.#question.budget.explanations * MORE;
      if (enough || performance.now() > this.#deadline) {
        this.#limit ??= enough ? 'explanations' : 'ms';
        break;
      }
      const verdict = await this.#judge(assumed, absent);
      if (!verdict) break;
      if (verdict.kind === 'explains') await this.#keepLeast(verdict.found);
      else if (verdict.kind !== 'fails') {
        const { by } = verdict;
        if (by.unclear) this.#limit ??= by.unclear;
        else if (by.absent.length === 0 && verdict.kind === 'inconsistent')
          this.#impossible.add(assumed.filter((id) => by.given.has(tripleKey(this.#triple(id)))));
        for (const further of await this.#defeats(search, by)) if (this.#fits(search, size, join(proposal, further))) proposals.add(join(proposal, further));
      } else this.#limit ??= 'aggregates';
    }
    if (search.uncounted) this.#limit ??= 'aggregates';
    return search.pruned;
  }
  #fits(search: Search, size: number, { assumed, absent }: Environment): boolean {
    if (assumed.length > size) search.pruned = true;
    return assumed.length <= size && disjoint(assumed, absent);
  }
  /** Ways to make something hold that stands under a `not` of what is to be defeated. */
  async #defeats(search: Search, { absent }: Rest): Promise<Environment[]> {
    const asked = absent
      .filter(({ slot }) => this.#model.affected.has(slot))
      .map(({ slot, subject, object }) => search.askAtom(this.#model.atoms.id(slot, subject, object)));
    await this.#drive(search);
    return asked.flatMap((answers) => answers());
  }
  async #drive(search: Search): Promise<void> {
    if (this.#limit === 'ms' || this.#limit === 'nodes') return;
    const before = search.nodes;
    // Some of the time is kept for trying what is found.
    const deadline = this.#began + this.#question.budget.ms * 0.7;
    const limit = await runSliced(search.run(search.nodes + this.#question.budget.nodes - this.#nodes, deadline), this.#signal);
    this.#nodes += search.nodes - before;
    this.#limit ??= limit;
  }

  #triple(id: number): Triple {
    const { slot, subject, object } = this.#model.atoms.get(id);
    return this.#model.assumables.triple(slot, subject, object);
  }
  #cost(ids: Ids): number {
    return ids.reduce((sum, id) => sum + (this.#price(id)?.cost ?? 0), 0);
  }
  #price(id: number): ReturnType<Assumables['price']> {
    const { slot, subject, object } = this.#model.atoms.get(id);
    return this.#model.assumables.price(slot, subject, object);
  }

  /** Tries assumptions in a world of their own. undefined when a limit came first. */
  async #judge(assumed: Ids, absent: Ids): Promise<Verdict | undefined> {
    const triples = assumed.map((id) => this.#triple(id));
    this.#tried++;
    const verdict = await this.#worlds.suppose(triples, this.#deadline, (world) => this.#look(world, assumed, triples, absent), this.#signal);
    if (!verdict) this.#limit ??= performance.now() > this.#deadline ? 'ms' : 'facts';
    return verdict;
  }
  async #look(world: Glimpse, assumed: Ids, triples: readonly Triple[], absent: Ids): Promise<Verdict> {
    const way = await world.meet(this.#question.observations);
    if (way) {
      const breach = await world.breach();
      if (!breach) return { kind: 'explains', found: await this.#explanation(world, way, assumed, triples) };
      this.#inconsistent++;
      return { kind: 'inconsistent', by: breach };
    }
    for (const id of absent) {
      const { slot, subject, object } = this.#model.atoms.get(id);
      const row = slot.table.find(subject, object);
      if (row >= 0) return { kind: 'undone', by: await world.restsOn({ slot, row }) };
    }
    return { kind: 'fails' };
  }
  async #explanation(world: Glimpse, { bindings, rows }: Met, ids: Ids, assume: readonly Triple[]): Promise<Found> {
    const { database, program } = this.#worlds;
    const { reader, now, proofs: limits } = this.#context;
    const prover = new Prover(program, reader, limits, new Tellings(reader, now, this.#hypothesis.facts));
    const proofs: { triple: Triple; proofId?: string }[] = [];
    let [confidence, nodes] = [1, 0];
    for (const { slot, row } of rows) {
      const triple = database.triple(slot, row);
      confidence *= slot.table.confidence(row);
      nodes += await world.size({ slot, row });
      const proof = await this.#prove(prover, slot, row);
      if (proof) await this.#verify(proof, assume);
      proofs.push({ triple, ...(proof ? { proofId: this.#context.keep(proof) } : {}) });
    }
    const prices = ids.map((id) => this.#price(id));
    const probability = prices.reduce<number | undefined>(
      (product, price) => (product === undefined || price?.probability === undefined ? undefined : product * price.probability),
      confidence,
    );
    const sorted = assume.toSorted((a, b) => (tripleKey(a) < tripleKey(b) ? -1 : 1));
    return { assume: sorted, cost: this.#cost(ids), confidence, ...(probability === undefined ? {} : { probability }), bindings, proofs, ids, nodes };
  }
  async #prove(prover: Prover, slot: Slot, row: number): Promise<Proof | undefined> {
    try {
      return await prover.prove({ slot, row });
    } catch (error) {
      if (error instanceof ProofTooLarge) return undefined;
      throw error;
    }
  }
  async #verify(proof: Proof, assume: readonly Triple[]): Promise<void> {
    const { database } = this.#worlds;
    const absence: AbsenceOracle = { absent: (triple) => database.find(triple) === undefined, matching: (atom) => database.matching(atom) };
    const result = await this.#context.check(proof, absence, [...this.#hypothesis.facts, ...assume]);
    if (!result.valid) throw new TypeError(`a proof of an explanation does not hold: ${result.reason}`);
  }
}
