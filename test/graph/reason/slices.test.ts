// Owns the promise that long work gives way often and keeps its limits: upkeep between its rows, functions that take long, and the count of facts while some have fallen.
// Refuses to know clocks of the machine: what is done between two pauses is counted.

import t from 'tap';
import { Evaluator, runNow } from '../../../graph/reason/evaluate/evaluate.ts';
import { paced } from '../../../graph/reason/evaluate/pace.ts';
import { Program } from '../../../graph/reason/evaluate/program.ts';
import { Tripped } from '../../../graph/reason/evaluate/run.ts';
import { Explainer } from '../../../graph/reason/proofs/explain.ts';
import { checkingRules } from '../../../graph/knowledge/rulebook.ts';
import type { RuleFormat } from '../../../graph/knowledge/rulebook.ts';
import { ruleToJson } from '../../../graph/reason/language/json.ts';
import { parseRules } from '../../../graph/reason/language/parse.ts';
import { Steps, Trees } from '../../../graph/reason/proofs/ways.ts';
import { stratifying } from '../../../graph/reason/evaluate/strata.ts';
import { Database, signed } from '../../../graph/reason/tables/database.ts';
import { Table } from '../../../graph/reason/tables/table.ts';
import type { Budget } from '../../../graph/reason/types.ts';
import { Upkeep } from '../../../graph/reason/upkeep/upkeep.ts';
import { entity, parseEntityId, parseRelationName, tripleKey } from '../../../graph/terms.ts';
import type { Triple } from '../../../graph/terms.ts';
import { AMPLE, contents } from '../../helpers/proofs.ts';

const fact = (subject: string, relation: string, object: string): Triple => ({
  subject: parseEntityId(subject),
  relation: parseRelationName(relation),
  object: entity(parseEntityId(object)),
});
type Said = readonly [triple: Triple, confidence: number | undefined];

class World {
  readonly database = new Database();
  readonly program: Program;
  readonly evaluator: Evaluator;
  readonly upkeep: Upkeep;
  /** Milliseconds; as many pass at each look at the clock as it is told. */
  clock = 0;
  pace = 0;
  constructor(rules: string, facts: readonly Triple[], budget: Budget = AMPLE, confidence = 1) {
    for (const each of facts) this.database.tell(each, confidence);
    this.program = new Program(parseRules(rules), this.database);
    this.evaluator = new Evaluator(this.program, budget, () => (this.clock += this.pace));
    const { complete } = runNow(this.evaluator.derive());
    if (!complete) throw new Error('the limits are too small');
    this.upkeep = new Upkeep(this.program, this.evaluator);
  }
  run(said: readonly Said[]): ReturnType<Upkeep['run']> {
    const edits = said.map(([{ subject, relation, object }, confidence]) => ({
      slot: this.database.slot(signed(relation, false)),
      subject: this.database.terms.intern(entity(subject)),
      object: this.database.terms.intern(object),
      confidence,
    }));
    return this.upkeep.run(edits, Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY);
  }
  get derived(): number {
    return this.database.derived;
  }
  /** What is derived, and how sure it is. */
  listed(): string[] {
    return [...contents(this.program)].flatMap(([key, { confidence, told }]) => (told ? [] : [`${key} ${confidence}`])).toSorted();
  }
  /** The same with the stamps. */
  stamped(): string[] {
    return Array.from(this.database.slots(), ({ key, table }) =>
      Array.from({ length: table.count }, (_, row) =>
        table.rules[row] < 0 ? '' : [key, table.subjects[row], table.objects[row], table.stamps[row], table.confidence(row)].join(' '),
      ),
    )
      .flat()
      .filter((line) => line !== '')
      .toSorted();
  }
}

const COPIES = 'q(?x, ?y) :- p(?x, ?y). r(?x) :- q(?x, ?y), not s(?x, ?y). m(b) :- p(?x, b7).';
const CHAIN = 'q(?x, ?y) :- p(?x, ?y). m(?x, ?y) :- p(?x, ?y), q(?x, ?y). n(?x) :- q(?x, b7).';
/** Rules, relations that have rows before, how sure these are, the relation whose rows are told otherwise, and how sure then. */
const CASES = [
  ['rows come that no rule reads', COPIES, [], 1, 'o', 1],
  ['rows come', COPIES, [], 1, 'p', 1],
  ['rows go', COPIES, ['p'], 1, 'p', undefined],
  ['rows go that stand under not', COPIES, ['p', 's'], 1, 's', undefined],
  ['rows come that stand under not', COPIES, ['p'], 1, 's', 1],
  ['rows go that still follow in another way', `${COPIES} q(?x, ?y) :- o(?x, ?y).`, ['p', 'o'], 1, 'p', undefined],
  ['rows go from two relations that hang on each other', 't(?x, ?y) :- q(?x, ?y). q(?x, ?y) :- p(?x, ?y). q(?y, ?x) :- t(?x, ?y).', ['p'], 1, 'p', undefined],
  ['rows are surer', CHAIN, ['p'], 0.5, 'p', 0.9],
  ['rows are less sure', CHAIN, ['p'], 0.5, 'p', 0.1],
] as const;
function caseOf(
  [, rules, before, confidence, relation, then]: (typeof CASES)[number],
  count: number,
): { readonly world: World; readonly said: Said[]; readonly back: Said[] } {
  const rows = (name: string): Triple[] => Array.from({ length: count }, (_, i) => fact(`a${i % (count / 80)}`, name, `b${i}`));
  const told = (how: number | undefined): Said[] => rows(relation).flatMap((triple, i) => (i % 3 === 0 ? [] : [[triple, how]]));
  return {
    world: new World(rules, before.flatMap(rows), AMPLE, confidence),
    said: told(then),
    back: told(before.some((name) => name === relation) ? confidence : undefined),
  };
}

t.test('upkeep gives way between rows, whatever is told of very many of them', (t) => {
  // What is asked of tables between two pauses.
  let asked = 0;
  for (const name of ['find', 'add', 'confidence', 'restate'] as const) {
    const known = Object.getOwnPropertyDescriptor(Table.prototype, name) as PropertyDescriptor;
    const work = known.value as (this: Table, ...given: unknown[]) => unknown;
    const value = function (this: Table, ...given: unknown[]): unknown {
      asked++;
      return work.apply(this, given);
    };
    Object.defineProperty(Table.prototype, name, { ...known, value });
    t.teardown(() => void Object.defineProperty(Table.prototype, name, known));
  }

  for (const each of CASES) {
    const [name] = each;
    const { world, said } = caseOf(each, 60_000);
    const work = world.run(said);
    let most = 0;
    for (asked = 0; ; asked = 0) {
      const step = work.next();
      most = Math.max(most, asked);
      if (!step.done) continue;
      t.ok(step.value?.complete, name);
      break;
    }
    t.ok(most <= 40_000, `${name}: ${most} questions to tables between two pauses at most`);
  }
  t.end();
});

t.test('upkeep that is given up at any pause leaves no trace, and can be done after all', (t) => {
  let pauses = 0;
  for (const each of CASES) {
    const [name] = each;
    const done = caseOf(each, 4_000);
    runNow(done.world.run(done.said));
    const [before, after] = [caseOf(each, 4_000).world.stamped(), done.world.listed()];
    for (let stop = 1; ; stop += 2) {
      const { world, said, back } = caseOf(each, 4_000);
      const work = world.run(said);
      let ended = false;
      for (let i = 0; i < stop && !ended; i++) ended = work.next().done === true;
      if (ended) break;
      pauses++;
      world.upkeep.undo();
      if (JSON.stringify(world.stamped()) !== JSON.stringify(before)) t.same(world.stamped(), before, `${name}: given up at pause ${stop}`);
      // What is told of rows stays told when the rest is undone.
      runNow(world.run(back));
      runNow(world.run(said));
      if (JSON.stringify(world.listed()) !== JSON.stringify(after)) t.same(world.listed(), after, `${name}: done after pause ${stop}`);
    }
  }
  t.ok(pauses > 60, `${pauses} pauses`);
  t.end();
});

const PAIRS = 'a(?u, hub), b(?v, hub)';
/** `count` rows of two relations, and what else is told. */
const pairs = (count: number, ...others: Triple[]): Triple[] => [...Array.from({ length: count }, (_, i) => [fact(`u${i}`, 'a', 'hub'), fact(`v${i}`, 'b', 'hub')]).flat(), ...others];
/** How often work pauses, and what it gives. */
function pausesOf<T>(work: Generator<void, T>): readonly [pauses: number, given: T] {
  for (let pauses = 0; ; pauses++) {
    const step = work.next();
    if (step.done) return [pauses, step.value];
  }
}
t.test('upkeep gives way in the midst of what one row leads to, and goes on there', (t) => {
  for (const [name, rules, gone] of [
    ['a rule', `p(?x) :- k(?x, ?k), ${PAIRS}, concat(?k, ?u, ?v) = "k0u0v0".`, fact('x', 'k', 'k1')],
    ['what stands under not', `p(?x) :- k(?x, ?k), ${PAIRS}, concat(?k, ?u, ?v) = "k0u0v0", not s(?x, ?k).`, fact('x', 's', 'k1')],
    ['what is counted', `p(?x, ?n) :- k(?x, k0), ?n = count { ?u, ?v : k(?x, ?k), ${PAIRS}, concat(?k, ?u, ?v) = "k0u0v0" }.`, fact('x', 'k', 'k1')],
  ] as const) {
    const facts = pairs(100, fact('x', 'k', 'k0'), fact('x', 'k', 'k1'), fact('x', 's', 'k1'));
    const world = new World(rules, facts);
    world.pace = 1;
    const [often, result] = pausesOf(world.run([[gone, undefined]]));
    t.match(result, { complete: true }, name);
    t.ok(often > 400, `${name}: ${often} pauses`);
    t.same(world.listed(), new World(rules, facts.filter((each) => tripleKey(each) !== tripleKey(gone))).listed(), name);
  }
  t.end();
});

t.test('so does a proof, while it counts the members of an aggregate and looks for premises', (t) => {
  for (const rules of [`p(?x, ?n) :- k(?x, k0), ?n = count { ?u, ?v : ${PAIRS} }.`, `p(?x, ?k) :- k(?x, ?k), ${PAIRS}, concat(?u, ?v) = "u0v0".`]) {
    const { database, program } = new World(rules, pairs(100, fact('x', 'k', 'k0')));
    const slot = database.slot(signed(parseRelationName('p'), false));
    const explainer = new Explainer(program, { nodes: 1_000, height: 10 });
    const [often, derivation] = pausesOf(explainer.explaining({ slot, row: 0 }, () => true));
    t.ok(often > 5_000, `${often} pauses`);
    t.same(derivation, new Explainer(program, { nodes: 1_000, height: 10 }).explain({ slot, row: 0 }));
    const late = paced(performance.now() - 1);
    t.throws(() => runNow(new Explainer(program, { nodes: 1_000, height: 10 }).explaining({ slot, row: 0 }, late)), { name: 'Late' });
  }
  t.end();
});

t.test('so do all proof trees of a row, where a rule counts', (t) => {
  const { database, program } = new World(`p(?x, ?n) :- k(?x, k0), ?n = count { ?u, ?v : ${PAIRS} }.`, pairs(200, fact('x', 'k', 'k0')));
  const at = { slot: database.slot(signed(parseRelationName('p'), false)), row: 0 };
  const limits = { nodes: 1_000, height: 10 };
  const found = [...new Trees(program, limits, new Steps(1_000_000)).of(at)];
  t.equal(found.filter((tree) => tree !== undefined).length, 1);
  t.ok(found.length > 5, `${found.length} turns`);
  t.same([...new Trees(program, limits, new Steps(1_000_000, performance.now() - 1)).of(at)].filter((tree) => tree !== undefined), [], 'the time is over');
  t.end();
});

/** The limit at which work ends; undefined when it comes to its end. */
function limitOf(work: () => unknown): string | undefined {
  try {
    work();
    return undefined;
  } catch (error) {
    if (error instanceof Tripped) return error.limit;
    throw error;
  }
}
t.test('a function that takes long meets the time limit at once, whoever computes it', (t) => {
  const facts = [fact('a', 'name', 'abc'), fact('b', 'name', 'abd')];
  for (const condition of ['matches(?y, "^ab")', '?n = length(?y), ?n > 2', '1 <= count { ?z : name(?x, ?z), matches(?z, "^ab") }']) {
    const world = new World(`short(?x) :- name(?x, ?y), ${condition}.`, facts, { ...AMPLE, ms: 100 });
    const slot = world.database.slot(signed(parseRelationName('is a'), false));
    const { supports } = world.evaluator;
    const holds = (): boolean => supports.attempt(slot, 0, 1) ?? runNow(supports.rest());
    t.ok(holds());
    world.evaluator.groups.forget();
    world.clock += 1_000;
    t.equal(
      limitOf(holds),
      'ms',
      `whether it still follows: ${condition}`,
    );
    world.pace = 1_000;
    t.match(runNow(world.run([[facts[0], undefined]])), { complete: false, limit: 'ms' }, `what hangs on it: ${condition}`);
  }
  t.end();
});

t.test('the limit of facts counts those that hold: what falls makes room, what follows again takes it', (t) => {
  const rules = 'path(?x, ?y) :- edge(?x, ?y). path(?x, ?z) :- path(?x, ?y), edge(?y, ?z).';
  const edges = [fact('a', 'edge', 'b'), fact('b', 'edge', 'c'), fact('c', 'edge', 'd'), fact('b', 'edge', 'd')];
  // Of six paths, a-c and b-c go; b-x, a-x come. a-d falls, and follows again by way of the other edge.
  const edits: Said[] = [
    [edges[1], undefined],
    [fact('b', 'edge', 'x'), 1],
  ];
  const exact = new World(rules, edges, { ...AMPLE, facts: 6 });
  t.equal(exact.derived, 6);
  t.match(runNow(exact.run(edits)), { complete: true });
  t.equal(exact.derived, 6);
  t.match(runNow(exact.run([[fact('x', 'edge', 'y'), 1]])), { complete: false, limit: 'facts' });
  t.end();
});
t.test('very many rules are read, checked, ordered and compiled in pieces, whatever they are written in', (t) => {
  const count = 1_000;
  const rules = (write: (i: number) => string): string => Array.from({ length: count }, (_, i) => write(i)).join('\n');
  const text = rules((i) => `p${i}(?x, c${i}) :- q(?x, ?y), not r(?y, _).`);
  const n3 = '@prefix : <http://example.org/> .\n';
  const inputs: readonly (readonly [unknown, RuleFormat])[] = [
    [text, 'datalog'],
    [parseRules(text).map(ruleToJson), 'json'],
    [n3 + rules((i) => `{ ?x :q ?y } => { ?x :p${i} ?y } .`), 'n3'],
    [n3 + rules((i) => `(?x :q ?y) -> (?x :p${i} ?y) .`), 'jena'],
    [n3 + rules((i) => `:p${i}[?x, ?y] :- :q[?x, ?y] .`), 'rdfox'],
    [rules((i) => `p${i}(x, y) :- q(x, y), !r(y, x).`), 'souffle'],
  ];
  for (const [input, format] of inputs) {
    const [often, { valid, rules }] = pausesOf(checkingRules(input, (some) => some, { format }));
    t.same([valid, rules.length], [true, count], format);
    t.ok(often >= count / 64 - 1, `${format}: ${often} pauses`);
    t.ok(pausesOf(Program.making(rules, new Database()))[0] >= count / 64 - 1, `${format} compiled`);
  }
  const known = parseRules(text);
  t.ok(pausesOf(stratifying(known))[0] >= (2 * count) / 64 - 1);
  const world = new World(text, []);
  t.ok(pausesOf(world.evaluator.derive())[0] >= count / 64 - 1, 'and are met so');
  t.end();
});
t.test('whether a row still follows is looked for in pieces', (t) => {
  const rules = `p(?x) :- k(?x, ?k), ${PAIRS}, concat(?k, ?u, ?v) = "k0u0v0".`;
  const facts = pairs(100, fact('x', 'k', 'k0'), fact('x', 'k', 'k1'));
  const world = new World(rules, facts);
  world.pace = 1;
  const [often, result] = pausesOf(world.run([[fact('x', 'k', 'k0'), undefined]]));
  t.match(result, { complete: true });
  t.ok(often > 1_200, `${often} pauses`);
  t.same(world.listed(), []);
  t.end();
});
