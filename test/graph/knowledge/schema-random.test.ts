// Owns the rule sets on random schemas with confidences and times against RDFS and the tables of OWL 2 RL tried naively, at every time.
// Refuses to know how the rules are written out.

import t from 'tap';
import { Random } from '../../../graph/induce/random.ts';
import { KnowledgeGraph } from '../../../graph/knowledge.ts';
import type { DeduceResult } from '../../../graph/knowledge.ts';
import { inForce } from '../../../graph/knowledge/facts/validity.ts';
import { tripleKey } from '../../../graph/terms.ts';
import type { Statement, Triple } from '../../../graph/terms.ts';
import type { Change } from '../../../graph/store.ts';
import { all, BASE, derived, open, say, triple } from '../../helpers/knowledge-world.ts';
import { owlTables } from '../../helpers/owl-tables.ts';
import type { Plain } from '../../helpers/owl-tables.ts';

const budget = { answers: 1000, facts: 100_000, ms: 20_000, depth: 100 };
const ask = (graph: KnowledgeGraph, goal: string, validAt: string): Promise<DeduceResult> => graph.deduce(BASE, { goal, budget, validAt });

/** The best proofs of RDFS, every statement tried on every other until nothing is surer. What is told keeps its confidence. */
function rdfs(facts: readonly Statement[]): Map<string, number> {
  const known = new Map<string, { readonly triple: Triple; readonly confidence: number; readonly told: boolean }>();
  const add = (s: string, p: string, o: string, confidence: number, told = false): boolean => {
    const found = triple(s, p, o);
    const key = tripleKey(found);
    const before = known.get(key);
    if (before && ((before.told && !told) || before.confidence >= confidence - 1e-12)) return false;
    known.set(key, { triple: found, confidence, told });
    return true;
  };
  const end = ({ object }: Triple): string => (object.kind === 'entity' ? object.id : '');
  for (const fact of facts) add(fact.subject, fact.relation, end(fact), fact.confidence ?? 1, true);
  for (let changed = true; changed;) {
    changed = false;
    const list = [...known.values()];
    for (const { triple: a, confidence: of } of list)
      for (const { triple: b, confidence: and } of list) {
        const isOf: string = b.relation;
        const sure = of * and;
        if (a.relation === 'subclass of' && b.relation === 'is a' && end(b) === a.subject) changed = add(b.subject, 'is a', end(a), sure) || changed;
        if ((a.relation === 'subclass of' || a.relation === 'subproperty of') && b.relation === a.relation && end(a) === b.subject)
          changed = add(a.subject, a.relation, end(b), sure) || changed;
        if (a.relation === 'subproperty of' && isOf === a.subject) changed = add(b.subject, end(a), end(b), sure) || changed;
        if (a.relation === 'domain' && isOf === a.subject) changed = add(b.subject, 'is a', end(a), sure) || changed;
        if (a.relation === 'range' && isOf === a.subject) changed = add(end(b), 'is a', end(a), sure) || changed;
      }
  }
  return new Map(Array.from(known, ([key, { confidence }]) => [key, Math.round(confidence * 1e9)]));
}
const HOUR = 3_600_000;
const START = Date.parse('2026-01-01T00:00:00Z');
const at = (hour: number): string => new Date(START + hour * HOUR).toISOString();
function someTime(random: Random): Pick<Statement, 'validFrom' | 'validTo'> {
  const [from, to] = [random.below(7) - 3, random.below(7) - 3];
  return [{}, {}, { validFrom: at(from) }, { validTo: at(to) }, from < to ? { validFrom: at(from), validTo: at(to) } : {}][random.below(5)];
}

t.test('random schemas with confidences and times: what is derived, with its confidence, is what RDFS says; after writes, as time goes by, and at other times', async (t) => {
  const random = new Random(5);
  const pick = (names: readonly string[]): string => names[random.below(names.length)];
  const [classes, properties, things] = [
    ['A', 'B', 'C', 'D'],
    ['p', 'q', 'r'],
    ['a', 'b', 'c'],
  ];
  for (let round = 0; round < 6; round++) {
    let now = START;
    const world = await open(t, { now: () => now });
    const { graph, store } = world;
    await graph.useRuleSet(BASE, 'rdfs');
    const some = (): Change => {
      const [s, p, o] = [
        [pick(classes), 'subclass of', pick(classes)],
        [pick(classes), 'subclass of', pick(classes)],
        [pick(properties), 'subproperty of', pick(properties)],
        [pick(properties), pick(['domain', 'range']), pick(classes)],
        [pick(things), 'is a', pick(classes)],
        [pick(things), pick(properties), pick(things)],
      ][random.below(6)];
      const confidence = [1, 1, 0.5, 0.8][random.below(4)];
      return say(s, p, o, { ...(confidence < 1 ? { confidence } : {}), ...someTime(random) });
    };
    await graph.tell(BASE, Array.from({ length: 12 }, some));
    const differs = async (label: string): Promise<boolean> => {
      const facts = await all(graph, {}, { derived: 'exclude' });
      const models = new Map<number, Map<string, number>>();
      const right = (when: number): Map<string, number> => {
        const model = models.get(when) ?? rdfs(facts.filter((fact) => inForce(fact, when)));
        models.set(when, model);
        return model;
      };
      const held = new Map<string, number>();
      for (const fact of await all(graph)) {
        const key = tripleKey(fact);
        if (inForce(fact, now)) held.set(key, Math.max(held.get(key) ?? 0, Math.round(fact.confidence * 1e9)));
      }
      const wanted = [...right(now)].toSorted();
      if (JSON.stringify([...held].toSorted()) !== JSON.stringify(wanted)) return t.same([...held].toSorted(), wanted, label);
      const anew = new KnowledgeGraph({ store: store.view(), now: () => now });
      await anew.open();
      t.same([...(await derived(anew))].toSorted(), [...(await derived(graph))].toSorted());
      await anew.close();
      for (const hour of [-3, -1, 0, 2]) {
        const validAt = at(hour);
        const then = right(Date.parse(validAt));
        for (const relation of ['is a', 'q', 'subclass of']) {
          const { answers } = await ask(graph, `"${relation}"(?x, ?y)`, validAt);
          const found = answers.map(({ triple: each, confidence }): [string, number] => [tripleKey(each), Math.round(confidence * 1e9)]).toSorted();
          const expected = [...then].filter(([key]) => key.split('\u0000').includes(relation)).toSorted();
          if (JSON.stringify(found) !== JSON.stringify(expected)) return t.same(found, expected, `${label}, ${relation} at ${hour}`);
          const holds = (answer: (typeof answers)[number], when: number): boolean => inForce({ ...answer.triple, ...answer }, when);
          if (answers.some((answer) => !holds(answer, Date.parse(validAt)))) return t.fail(`${label}: an answer does not hold when it was asked`);
          for (const answer of answers)
            for (const other of [-3, -2, -1, 0, 1, 2, 3])
              if (holds(answer, START + other * HOUR) && !right(START + other * HOUR).has(tripleKey(answer.triple))) return t.fail(`${label}: ${tripleKey(answer.triple)} does not hold all the time that is said`);
        }
      }
      return true;
    };
    if (!(await differs(`round ${round} at first`))) return;
    await graph.tell(BASE, Array.from({ length: 3 }, some));
    if (!(await differs(`round ${round} after a write`))) return;
    now += 1.5 * HOUR;
    await graph.current(BASE);
    if (!(await differs(`round ${round} later`))) return;
    await graph.close();
  }
});

t.test('random ontologies with times: what holds at a time is what the tables of OWL 2 RL say of what is in force then', async (t) => {
  const random = new Random(11);
  const pick = (names: readonly string[]): string => names[random.below(names.length)];
  const [classes, properties, things] = [
    ['A', 'B', 'C', 'R', 'S'],
    ['p', 'q', 'r'],
    ['a', 'b', 'c', 'd'],
  ];
  const kinds = ['symmetric property', 'transitive property', 'functional property', 'inverse functional property', 'asymmetric property'];
  let followed = 0;
  for (let round = 0; round < 12; round++) {
    let now = START;
    const world = await open(t, { now: () => now });
    const { graph } = world;
    await graph.useRuleSet(BASE, 'owl2-rl');
    const plain: Plain[] = [];
    for (let i = 0; i < 12; i++) {
      const [c, d, p, q] = [pick(classes), pick(classes), pick(properties), pick(properties)];
      const forms: Plain[][] = [
        [[c, 'subclass of', d]],
        [[c, 'equivalent class', d]],
        [[c, 'disjoint with', d]],
        [[p, 'inverse of', q]],
        [[p, 'is a', pick(kinds)]],
        [
          ['R', 'on property', p],
          ['R', pick(['some values from', 'all values from']), d],
        ],
        [
          ['S', 'on property', p],
          ['S', 'has value', pick(things)],
        ],
        [
          [c, pick(['union of', 'intersection of']), `l${i}`],
          [`l${i}`, 'first of list', d],
          [`l${i}`, 'rest of list', `m${i}`],
          [`m${i}`, 'first of list', pick(classes)],
          [`m${i}`, 'rest of list', 'empty list'],
        ],
      ];
      plain.push(...forms[random.below(forms.length)]);
    }
    for (let i = 0; i < 10; i++) plain.push(random.below(2) === 0 ? [pick(things), 'is a', pick(classes)] : [pick(things), pick(properties), pick(things)]);
    // A list is one at all times, if a broken one.
    const told = plain.map(([s, p, o]) => say(s, p, o, /^l\d+$/u.test(s) && p === 'first of list' ? {} : someTime(random)));
    await graph.tell(BASE, told);
    const tables = (when: number): ReturnType<typeof owlTables> => {
      const there = told.flatMap((change, i) => (change.kind === 'assert' && inForce(change.statement, when) ? [plain[i]] : []));
      // A list of which some part is missing is none.
      const whole = (list: string): boolean => [list, list.replace('l', 'm')].every((node) => there.filter(([s]) => s === node).length === 2);
      return owlTables(there.filter(([, p, o]) => !p.endsWith('on of') || whole(o)));
    };
    const reads = (triples: Iterable<string>): string[] =>
      [...triples].flatMap((text) => (/^(.*)\0(sub|equivalent |same as).*\0\1$|\0(union|intersection) of\0/u.test(text) ? [] : text.replaceAll('\u0000', ' | '))).toSorted();
    const wrong = async (label: string): Promise<boolean> => {
      const { triples, violated } = tables(now);
      const known = (await all(graph)).filter((fact) => inForce(fact, now));
      const found = reads(new Set(known.map(({ subject, relation, object }) => [subject, relation, object.kind === 'entity' ? object.id : ''].join('\u0000'))));
      const broken = [...new Set((await graph.contradictions(BASE, { limit: 100_000 })).contradictions.map(({ rule }) => rule?.name?.split(/[:,]/u)[0] ?? ''))].toSorted();
      if (JSON.stringify([found, broken]) !== JSON.stringify([reads(triples), [...violated].toSorted()])) return !t.same([found, broken], [reads(triples), [...violated].toSorted()], label);
      for (const hour of [-3, 1]) {
        const then = tables(START + hour * HOUR).triples;
        for (const relation of ['is a', 'p', 'same as']) {
          const { answers } = await ask(graph, `"${relation}"(?x, ?y)`, at(hour));
          const is = reads(answers.map(({ triple: { subject, object } }) => [subject, relation, object.kind === 'entity' ? object.id : ''].join('\u0000')));
          const should = reads([...then].filter((text) => text.split('\u0000')[1] === relation));
          if (JSON.stringify(is) !== JSON.stringify(should)) return !t.same(is, should, `${label}, ${relation} at ${hour}: ${JSON.stringify(told)}`);
        }
      }
      return false;
    };
    if (await wrong(`round ${round}`)) return;
    now += 1.5 * HOUR;
    await graph.current(BASE);
    if (await wrong(`round ${round} later`)) return;
    followed += (await derived(graph)).size;
    await graph.close();
  }
  t.ok(followed > 100, `${followed} facts were derived`);
});
