// Owns the search from what is asked down to what would have to be assumed: each question is asked once, and its answers, with the assumptions they need, go to all who ask.
// Refuses to know constraints, costs and proofs: what it finds is tried in a world of its own before it counts.
//
// Tabling (Tamaki and Sato, ICLP 1986) with the environments of an assumption-based truth maintenance system as answers (de Kleer 1986). What stands under `not` is noted, not
// decided. A condition whose values are open is met by what is known and by what rules give; to assume it is put off until the other conditions have given it values. Where two
// conditions could give each other a value, each goes first once.

import type { Slot } from '../reason/tables/database.ts';
import { disjoint, join, Label, NOTHING, union } from './environments.ts';
import type { Environment, Sets } from './environments.ts';
import { Gatherings } from './gatherings.ts';
import type { AtomItem } from '../reason/evaluate/plan.ts';
import type { Clause, FilterItem, GroupItem, Model } from './model.ts';
import { bind, counted, isPositive, Queue, valueOf, without } from './state.ts';
import type { Call, State, Waiting } from './state.ts';

/** Work to be taken up again: one step at a time, false when it is done. */
type Frame = () => boolean;

export class Search {
  /** Something was left out because it takes more assumptions than allowed. */
  pruned = false;
  /** Some aggregate was not computed for every set of assumptions. */
  uncounted = false;
  /** Steps so far. */
  nodes = 0;
  readonly #model: Model;
  readonly #size: number;
  /** Sets of assumptions that nothing larger than is wanted. */
  readonly #closed: readonly Sets[];
  readonly #calls = new Map<string, Call>();
  readonly #slots = new Map<Slot, number>();
  readonly #gatherings: Gatherings;
  readonly #frames = new Queue<Frame>();
  readonly #answers = new Queue<Waiting & { readonly atom: number; readonly environment: Environment }>();

  /** `size`: assumptions in one environment at most. */
  constructor(model: Model, size: number, closed: readonly Sets[]) {
    this.#model = model;
    this.#size = size;
    this.#closed = closed;
    this.#gatherings = new Gatherings(model, {
      size,
      begin: (clause, registers, answer) => this.#begin(clause, registers, answer),
      advance: (state) => this.#advance(state),
      wanted: (environment) => this.#wanted(environment),
      miss: ({ pruned, cut }) => {
        this.pruned ||= pruned;
        this.uncounted ||= cut;
      },
    });
  }

  /** Asks for all ways to meet a clause without head; they are in the label after `run`. */
  ask(clause: Clause): Label {
    const label = new Label();
    this.#begin(clause, new Int32Array(clause.variables.length).fill(-1), ({ environment }) => void label.add(environment));
    return label;
  }
  /** Asks for all ways in which a ground atom may come to hold; to be read after `run`. */
  askAtom(atom: number): () => readonly Environment[] {
    const { slot, subject, object } = this.#model.atoms.get(atom);
    const call = this.#call(slot, subject, object);
    return () => call.labels.get(atom)?.environments ?? [];
  }
  /** Works until nothing is left or a limit is reached, which it returns. Pauses between steps. */
  *run(nodes: number, deadline: number): Generator<void, 'nodes' | 'ms' | undefined> {
    for (;;) {
      // Answers and work take turns, and each work its turn, so that what is near is found before what is wide.
      const answer = this.#answers.take();
      const frame = this.#frames.take();
      if (!answer && !frame) {
        const counting = this.#gatherings.count();
        let step = counting.next();
        for (; !step.done; step = counting.next()) {
          if (performance.now() > deadline) return 'ms';
          yield;
        }
        if (!step.value) return undefined;
      }
      if (answer) this.#resume(answer.state, answer.place, answer.atom, answer.environment);
      if (frame?.()) this.#frames.add(frame);
      if (++this.nodes > nodes) return 'nodes';
      if ((this.nodes & 7) === 0) {
        if (performance.now() > deadline) return 'ms';
        yield;
      }
    }
  }

  #begin(clause: Clause, registers: Int32Array, answer: (state: State) => void): void {
    this.#advance({ clause, registers, left: [...clause.items.keys()], assume: [], environment: NOTHING, answer });
  }
  #wanted({ assumed, absent }: Environment): boolean {
    if (assumed.length > this.#size) {
      this.pruned = true;
      return false;
    }
    return disjoint(assumed, absent) && !this.#closed.some((sets) => sets.within(assumed));
  }

  /** Meets conditions for as long as there is one way; where there are several, each becomes a state of its own. */
  #advance(start: State): void {
    let state: State | undefined = start;
    while (state) {
      const settled = this.#settle(state);
      if (!settled) return;
      state = settled;
      const place = this.#choose(state);
      if (place < 0) {
        if (state.assume.length > 0) state = this.#assume(state);
        else {
          const waiting = state.left.find((each) => state && this.#countable(state, each));
          if (waiting !== undefined) this.#gatherings.gather(state, waiting);
          // A filter that is left has a variable without value.
          else if (state.left.length === 0) state.answer(state);
          return;
        }
      } else state = this.#meet(state, place);
    }
  }

  /** Decides every filter and `not` that can be decided; undefined when one fails, or has work of its own that goes on from there. */
  #settle(start: State): State | undefined {
    let state = start;
    for (let again = true; again;) {
      again = false;
      for (const place of state.left) {
        const item = state.clause.items[place];
        const next =
          item.kind === 'filter'
            ? this.#filter(state, place, item)
            : item.kind === 'group'
              ? this.#certainGroup(state, place, item)
              : item.absent
                ? this.#absence(state, place, item)
                : state;
        if (!next) return undefined;
        if (next !== state) {
          state = next;
          again = true;
          break;
        }
      }
    }
    return state;
  }
  #filter(state: State, place: number, item: FilterItem): State | undefined {
    const { registers, clause } = state;
    const bound = (needs: readonly number[]): boolean => needs.every((register) => registers[register] >= 0);
    if (bound(item.needs)) return this.#model.meets(clause, item, registers) ? without(state, place) : undefined;
    const assignment = item.assigns.find(({ register, needs }) => registers[register] < 0 && bound(needs));
    if (!assignment) return state;
    const value = this.#model.value(clause, assignment.from, registers);
    if (value < 0) return undefined;
    const next = registers.slice();
    next[assignment.register] = value;
    return { ...without(state, place), registers: next };
  }
  #countable({ clause, registers }: State, place: number): boolean {
    const item = clause.items[place];
    return item.kind === 'group' && item.given.every((register) => registers[register] >= 0);
  }
  /** An aggregate that assumptions do not change, when what it is given is there; its value comes from work of its own. */
  #certainGroup(state: State, place: number, item: GroupItem): State | undefined {
    if (item.affected || !this.#countable(state, place)) return state;
    const counting = this.#model.aggregating(item, state.registers);
    this.#frames.add(() => {
      const { done, value } = counting.next();
      const next = done ? counted(state, place, item, value) : undefined;
      if (next) this.#advance(next);
      return !done;
    });
    return undefined;
  }
  #absence(state: State, place: number, { slot, subject, object }: AtomItem): State | undefined {
    const [s, o] = [valueOf(subject, state.registers), valueOf(object, state.registers)];
    if (s < 0 || o < 0) return state;
    const { atoms, affected, database } = this.#model;
    // A literal is never a subject.
    if (!database.terms.isEntity(s)) return without(state, place);
    if (!affected.has(slot)) return slot.table.find(s, o) < 0 ? without(state, place) : undefined;
    if (this.#model.certain(slot, s, o)) return undefined;
    const environment: Environment = { ...state.environment, absent: union(state.environment.absent, [atoms.id(slot, s, o)]) };
    return this.#wanted(environment) ? { ...without(state, place), environment } : undefined;
  }

  /** The condition that is best met next, or -1. */
  #choose({ clause, left, registers }: State): number {
    let [best, least] = [-1, Number.POSITIVE_INFINITY];
    for (const place of left) {
      const item = clause.items[place];
      if (!isPositive(item)) continue;
      const open = Number(valueOf(item.subject, registers) < 0) + Number(valueOf(item.object, registers) < 0);
      const size = item.slot.table.count;
      const rows = open === 0 ? 0 : open === 1 ? Math.sqrt(size) : size + 1;
      const cost = this.#model.affected.has(item.slot) ? 2 + 4 * rows + 1000 * open * open : rows;
      if (cost < least) [best, least] = [place, cost];
    }
    return best;
  }
  #meet(state: State, place: number): State | undefined {
    const { registers, clause } = state;
    const { slot, subject, object } = clause.items[place] as AtomItem;
    const [s, o] = [valueOf(subject, registers), valueOf(object, registers)];
    if (!this.#model.affected.has(slot)) {
      if (s >= 0 && o >= 0) return slot.table.find(s, o) >= 0 ? without(state, place) : undefined;
      this.#frames.add(this.#rows(slot, s, o, (row) => this.#bound(state, place, slot.table.subjects[row], slot.table.objects[row], NOTHING)));
      return undefined;
    }
    this.#wait(state, place, s, o);
    if (s >= 0 && o >= 0) return undefined;
    // Values may as well come from another condition first. To assume that one itself is not lost: it is asked with values then.
    const shared = new Set([subject, object].filter((operand) => valueOf(operand, registers) < 0));
    for (const other of state.left) {
      const item = clause.items[other];
      if (other === place || !isPositive(item) || !this.#model.affected.has(item.slot)) continue;
      const [t, p] = [valueOf(item.subject, registers), valueOf(item.object, registers)];
      if (t < 0 !== p < 0 && shared.has(t < 0 ? item.subject : item.object)) this.#wait(state, other, t, p);
    }
    return this.#model.assumables.has(slot) ? { ...without(state, place), assume: [...state.assume, place] } : undefined;
  }
  /** Goes on with each answer that the condition has now or later. */
  #wait(state: State, place: number, subject: number, object: number): void {
    const call = this.#call((state.clause.items[place] as AtomItem).slot, subject, object);
    call.waiting.push({ state, place });
    for (const { atom, environment } of call.answers) this.#answers.add({ state, place, atom, environment });
  }
  #resume(state: State, place: number, atom: number, environment: Environment): void {
    const { subject, object } = this.#model.atoms.get(atom);
    this.#bound(state, place, subject, object, environment);
  }
  /** Goes on with a condition met by this pair. */
  #bound(state: State, place: number, s: number, o: number, environment: Environment): void {
    const { subject, object } = state.clause.items[place] as AtomItem;
    const registers = state.registers.slice();
    if (!bind(registers, subject, s) || !bind(registers, object, o)) return;
    const joined = environment === NOTHING ? state.environment : join(state.environment, environment);
    if (joined === state.environment || this.#wanted(joined)) this.#advance({ ...without(state, place), registers, environment: joined });
  }

  /** Assumes a condition whose values are known; gives values to one that is open. */
  #assume(state: State): State | undefined {
    const { clause, registers, assume, environment } = state;
    for (const place of assume) {
      const { slot, subject, object } = clause.items[place] as AtomItem;
      const [s, o] = [valueOf(subject, registers), valueOf(object, registers)];
      if (s < 0 || o < 0) continue;
      // What holds anyway was met where it is known.
      if (!this.#model.database.terms.isEntity(s) || this.#model.certain(slot, s, o) || !this.#model.assumables.price(slot, s, o)) return undefined;
      const next: Environment = { ...environment, assumed: union(environment.assumed, [this.#model.atoms.id(slot, s, o)]) };
      return this.#wanted(next) ? { ...state, assume: assume.filter((other) => other !== place), environment: next } : undefined;
    }
    const first = clause.items[assume[0]] as AtomItem;
    const register = valueOf(first.subject, registers) < 0 ? first.subject : first.object;
    let values: ReadonlySet<number> = new Set();
    for (const place of assume) {
      const { slot, subject, object } = clause.items[place] as AtomItem;
      const [s, o] = [valueOf(subject, registers), valueOf(object, registers)];
      for (const found of [
        ...(subject === register ? [this.#model.assumables.open(slot, 'subject', o)] : []),
        ...(object === register ? [this.#model.assumables.open(slot, 'object', s)] : []),
      ])
        values = values.size === 0 ? found : found === values ? values : values.union(found);
    }
    const each = values.values();
    this.#frames.add(() => {
      const { value, done } = each.next();
      if (done) return false;
      const next = registers.slice();
      next[register] = value;
      this.#advance({ ...state, registers: next });
      return true;
    });
    return undefined;
  }

  /** The question, asked now if nobody did before. */
  #call(slot: Slot, subject: number, object: number): Call {
    let number = this.#slots.get(slot);
    if (number === undefined) this.#slots.set(slot, (number = this.#slots.size));
    const key = `${number},${subject},${object}`;
    const known = this.#calls.get(key);
    if (known) return known;
    const call: Call = { slot, subject, object, labels: new Map(), answers: [], waiting: [] };
    this.#calls.set(key, call);
    const { database, assumables, atoms } = this.#model;
    if (subject >= 0 && object >= 0) {
      if (!database.terms.isEntity(subject)) return call;
      if (this.#model.certain(slot, subject, object)) {
        this.#answer(call, subject, object, NOTHING);
        return call;
      }
      const environment: Environment = { assumed: [atoms.id(slot, subject, object)], absent: [] };
      if (assumables.price(slot, subject, object) && this.#wanted(environment)) this.#answer(call, subject, object, environment);
    }
    const clauses = this.#model.clauses(slot).values();
    this.#frames.add(() => {
      const { value: clause, done } = clauses.next();
      if (done) return false;
      const head = clause.head as NonNullable<Clause['head']>;
      const registers = new Int32Array(clause.variables.length).fill(-1);
      if ((subject >= 0 && !bind(registers, head.subject, subject)) || (object >= 0 && !bind(registers, head.object, object))) return true;
      this.#begin(clause, registers, (state) =>
        this.#answer(call, valueOf(head.subject, state.registers), valueOf(head.object, state.registers), state.environment),
      );
      return true;
    });
    if (subject < 0 || object < 0)
      this.#frames.add(
        this.#rows(slot, subject, object, (row) => {
          if (this.#model.lasting(slot, row)) this.#answer(call, slot.table.subjects[row], slot.table.objects[row], NOTHING);
        }),
      );
    return call;
  }
  #answer(call: Call, subject: number, object: number, environment: Environment): void {
    const { database, atoms } = this.#model;
    if (subject < 0 || object < 0 || !database.terms.isEntity(subject)) return;
    if (environment !== NOTHING && this.#model.certain(call.slot, subject, object)) return;
    const atom = atoms.id(call.slot, subject, object);
    let label = call.labels.get(atom);
    if (!label) call.labels.set(atom, (label = new Label()));
    if (!label.add(environment)) return;
    call.answers.push({ atom, environment });
    for (const { state, place } of call.waiting) this.#answers.add({ state, place, atom, environment });
  }
  /** Rows that match, one a step. */
  #rows(slot: Slot, subject: number, object: number, visit: (row: number) => void): Frame {
    const { table } = slot;
    const terms = this.#model.database.terms.size;
    const both = subject < 0 && object < 0;
    const chain = both ? undefined : subject >= 0 ? table.bySubject(terms) : table.byObject(terms);
    let row = both ? 0 : chain ? chain.first(subject >= 0 ? subject : object) : -1;
    return () => {
      if (row < 0 || row >= table.count) return false;
      const at = row;
      row = chain ? chain.after(at) : at + 1;
      visit(at);
      return true;
    };
  }
}
