// Owns asking why something does not follow: what is missing, what blocks it, what compares otherwise, how near each rule is.
// Refuses to know any real store.

import t from 'tap';
import type { WhyNotReasons } from '../../../graph/knowledge.ts';
import { whyNotJson, whyNotMarkdown } from '../../../graph/knowledge/questions/render-whynot.ts';
import { printRules } from '../../../graph/reason/language/print.ts';
import type { Atom, Proof, Rule, RuleTerm } from '../../../graph/reason/types.ts';
import { literal, tripleKey } from '../../../graph/terms.ts';
import type { Term } from '../../../graph/terms.ts';
import { naiveModel } from '../../helpers/naive-reasoner.ts';
import { ENTITIES, LITERALS, randomRule, randomTriple, seeded } from '../../helpers/random-programs.ts';
import { AMPLE } from '../../helpers/proofs.ts';
import { BASE, declare, node, open, say, triple } from '../../helpers/knowledge-world.ts';

const ask = { budget: AMPLE };
const RULES = `
  @name("adult") adult(?x) :- person(?x), age(?x, ?n), ?n >= 18.
  @name("voter") voter(?x) :- adult(?x), "citizen of"(?x, ?c), registered(?x, ?c), not banned(?x).
  @name("ban") banned(?x) :- convicted(?x, ?why).
  @name("honorary") voter(?x) :- honoured(?x, ?by).
`;
async function voters(t: Parameters<typeof open>[0]): ReturnType<typeof open> {
  const world = await open(t);
  await world.graph.addRules(BASE, RULES);
  const told = ['ann', 'bob', 'cid', 'dan'].flatMap((name) => [say(name, 'is a', 'person'), say(name, 'citizen of', 'Utopia')]);
  await world.graph.tell(BASE, [
    ...told,
    say('ann', 'age', literal(40)),
    say('bob', 'age', literal(12)),
    say('bob', 'registered', 'Utopia'),
    say('cid', 'age', literal(50)),
    say('cid', 'registered', 'Utopia'),
    say('cid', 'convicted', 'fraud'),
    say('dan', 'age', literal(30)),
    say('dan', 'registered', 'Utopia', { confidence: 0.5 }),
  ]);
  return world;
}
/** Kinds of the conditions of the nearest attempt, with its rule. */
const nearest = (reasons: WhyNotReasons | undefined): unknown => {
  const attempt = reasons?.attempts[0];
  return attempt && [attempt.rule.name, attempt.lacking, ...attempt.conditions.map(({ kind }) => kind)];
};

t.test('the nearest rule comes first, with what holds proven and what is missing named', async (t) => {
  const { graph } = await voters(t);
  const ann = await graph.whyNot(BASE, { goal: 'voter(ann)', ...ask });
  t.match(ann, { outcome: 'not_entailed', complete: true, proofId: undefined });
  t.same(nearest(ann.reasons), ['voter', 1, 'holds', 'holds', 'missing', 'holds']);
  t.match(ann.reasons?.attempts[0].conditions[2], { item: { relation: 'registered', subject: { id: 'ann' }, object: { id: 'Utopia' } } });
  t.match(ann.reasons?.attempts[1], { rule: { name: 'honorary' }, lacking: 1 });
  const [adult] = ann.reasons?.attempts[0].conditions ?? [];
  t.match(adult, { kind: 'holds', confidence: 1, proofId: /^p_/ });
  if (adult?.kind === 'holds') t.match(await graph.checkProof(BASE, graph.proof(BASE, adult.proofId as string) as Proof), { valid: true });
});

t.test('a comparison that fails shows its values, looked for behind the missing premise', async (t) => {
  const { graph } = await voters(t);
  const bob = await graph.whyNot(BASE, { goal: 'voter(bob)', ...ask });
  t.same(nearest(bob.reasons), ['voter', 1, 'missing', 'holds', 'holds', 'holds']);
  const [missing] = bob.reasons?.attempts[0].conditions ?? [];
  if (missing?.kind !== 'missing') return t.fail('adult(bob) is not missing');
  t.same(nearest(missing.why), ['adult', 1, 'holds', 'holds', 'fails']);
  t.match(missing.why?.attempts[0].conditions[2], { left: { value: 12 }, right: { value: 18 } });
  t.equal(missing.why?.attempts[0].conditions.length, 3);
  const shallow = await graph.whyNot(BASE, { goal: 'voter(bob)', depth: 1, ...ask });
  return t.match(shallow.reasons?.attempts[0].conditions[0], { kind: 'missing', why: undefined });
});

t.test('what blocks a "not" is shown with its proof', async (t) => {
  const { graph } = await voters(t);
  const cid = await graph.whyNot(BASE, { goal: 'voter(cid)', ...ask });
  t.same(nearest(cid.reasons), ['voter', 1, 'holds', 'holds', 'holds', 'blocked']);
  const blocked = cid.reasons?.attempts[0].conditions[3];
  if (blocked?.kind !== 'blocked') return t.fail('nothing blocks');
  const proof = graph.proof(BASE, blocked.proofId as string) as Proof;
  return t.match(proof, { kind: 'rule', rule: { name: 'ban' }, conclusion: { subject: 'cid' } });
});

t.test('so is what stands against "there is nothing of the kind", and it reads as it was written', async (t) => {
  const { graph } = await voters(t);
  await graph.addRules(BASE, 'clean(?x) :- person(?x), not convicted(?x, _). unique(?x) :- "citizen of"(?x, ?c), not exists { "citizen of"(?y, ?c), ?y != ?x }.');
  for (const [goal, written, fact] of [
    ['clean(cid)', 'not convicted(cid, _)', { subject: 'cid', relation: 'convicted', object: { id: 'fraud' } }],
    ['unique(ann)', 'not exists { "citizen of"(?y, Utopia), ?y != ann }', { relation: 'citizen of', object: { id: 'Utopia' } }],
  ] as const) {
    const asked = await graph.whyNot(BASE, { goal, ...ask });
    t.same(nearest(asked.reasons), [undefined, 1, 'holds', 'blocked']);
    const [, shown] = whyNotJson(asked).reasons?.attempts[0].conditions ?? [];
    t.match(shown, { kind: 'blocked', condition: written, confidence: 1 });
    t.match(graph.proof(BASE, shown?.proof_id as string), { kind: 'fact', conclusion: fact });
    t.match(whyNotMarkdown(asked), `stands against it: \`${written}\``);
  }
  const none = await graph.whyNot(BASE, { goal: 'clean(eve)', ...ask });
  t.same(nearest(none.reasons), [undefined, 1, 'missing', 'holds']);
  t.match(whyNotJson(none).reasons?.attempts[0].conditions[1], { condition: 'not convicted(eve, _)' });
});

t.test('a goal that follows has its proof and no reasons; one that is refuted has both', async (t) => {
  const { graph } = await voters(t);
  t.match(await graph.whyNot(BASE, { goal: 'voter(dan)', ...ask }), { outcome: 'entailed', proofId: /^p_/, reasons: undefined });
  t.match(await graph.whyNot(BASE, { goal: 'voter(?x)', ...ask }), { outcome: 'entailed', proofId: /^p_/, reasons: undefined });
  await graph.tell(BASE, [declare('age', { functional: true })]);
  const age = await graph.whyNot(BASE, { goal: 'age(ann, 41)', ...ask });
  t.match(age, { outcome: 'refuted', proofId: /^p_/, reasons: { attempts: [] } });
  t.match(await graph.whyNot(BASE, { goal: 'unheard(of, it)', ...ask }), { outcome: 'not_entailed', reasons: { attempts: [], truncated: false } });
});

t.test('hypotheses are part of the question', async (t) => {
  const { graph } = await voters(t);
  const supposed = { facts: [triple('ann', 'registered', 'Utopia')] };
  t.match(await graph.whyNot(BASE, { goal: 'voter(ann)', ...supposed, ...ask }), { outcome: 'entailed' });
  const ann = await graph.whyNot(BASE, { goal: 'candidate(ann)', rules: 'candidate(?x) :- voter(?x), nominated(?x, ?by), ?by != ?x.', ...supposed, ...ask });
  t.same(ann.reasons?.attempts[0].conditions.map(({ kind }) => kind), ['holds', 'missing', 'open']);
  const gone = await graph.whyNot(BASE, { goal: 'voter(dan)', removed: [triple('dan', 'registered', 'Utopia')], ...ask });
  t.same(nearest(gone.reasons), ['voter', 1, 'holds', 'holds', 'missing', 'holds']);
  await t.rejects(graph.whyNot(BASE, { goal: 'voter(', ...ask }), { name: 'RuleError', code: 'syntax' });
});

t.test('recursive rules are looked into as far as asked, and never in a circle', async (t) => {
  const { graph } = await open(t);
  await graph.addRules(BASE, 'path(?x, ?y) :- edge(?x, ?y). path(?x, ?z) :- edge(?x, ?y), path(?y, ?z).');
  await graph.tell(BASE, [say('a', 'edge', 'b'), say('b', 'edge', 'c'), say('d', 'edge', 'e')]);
  const { reasons } = await graph.whyNot(BASE, { goal: 'path(a, e)', depth: 9, ...ask });
  const texts: string[] = [];
  const visit = (node: WhyNotReasons): void => {
    for (const { conditions } of node.attempts)
      for (const condition of conditions)
        if (condition.kind === 'missing') {
          texts.push(JSON.stringify(condition.item));
          if (condition.why) visit(condition.why);
        }
  };
  visit(reasons as WhyNotReasons);
  const named = (from: string, to: string): boolean => texts.some((text) => text.includes(`"${from}"`) && text.includes(`"${to}"`));
  t.ok(named('a', 'e') && named('a', 'd') && named('b', 'e') && named('c', 'd'), 'each place where an edge would help is named');
  t.ok(texts.length < 200);
});

t.test('reasons are written as JSON and as Markdown, in English and Chinese', async (t) => {
  const { graph } = await voters(t);
  const bob = await graph.whyNot(BASE, { goal: 'voter(bob)', ...ask });
  const wire = whyNotJson(bob);
  t.match(wire, {
    outcome: 'not_entailed',
    reasons: { goal: 'voter(bob)', attempts: [{ rule: { name: 'voter' }, lacking: 1, conditions: [{ kind: 'missing', condition: 'adult(bob)', why: { attempts: [{}] } }, {}, {}, {}] }, {}] },
  });
  t.same(JSON.parse(JSON.stringify(wire)), wire);
  const english = whyNotMarkdown(bob);
  t.match(english, /voter\(bob\).*does not follow/);
  t.match(english, /missing.*`adult\(bob\)`/);
  t.match(english, /`12 >= 18`.*12/);
  t.match(whyNotMarkdown(bob, 'zh'), /无法推出/);
  t.match(whyNotMarkdown(await graph.whyNot(BASE, { goal: 'voter(dan)', ...ask })), /follows/);
});

t.test('on random bases the nearest attempt lacks as little as any instance of any rule does, and what is missing, supposed, makes the goal follow', async (t) => {
  let [asked, truncated, supposed] = [0, 0, 0];
  const domain: Term[] = [...ENTITIES, ...LITERALS];
  for (let seed = 1; asked < 150; seed++) {
    const random = seeded(seed);
    const positive = (rule: Rule): boolean => rule.body.length > 0 && rule.heads.length === 1 && rule.body.every((item) => !('kind' in item) && !item.absent);
    const rules = Array.from({ length: 8 }, () => randomRule(random, false)).filter(positive);
    const facts = Array.from({ length: 12 }, () => randomTriple(random));
    const model = naiveModel(rules, facts.map((each) => ({ triple: each, confidence: 1 })));
    const goal = randomTriple(random);
    if (rules.length === 0 || model.has(tripleKey(goal))) continue;
    const { graph } = await open(t);
    await graph.addRules(BASE, printRules(rules));
    await graph.tell(BASE, facts.map((statement) => ({ kind: 'assert', statement })));
    const { reasons, outcome } = await graph.whyNot(BASE, { goal: { ...goal, subject: { kind: 'entity', id: goal.subject } }, attempts: 100, depth: 1, ...ask });
    if (outcome === 'entailed') return t.fail(`seed ${seed}: the goal follows`);
    asked++;
    if (reasons?.truncated) truncated++;
    // What lacks the goal itself explains it least.
    let [straight, circular] = [Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY];
    for (const { heads, body } of rules) {
      const atoms = [...heads, ...body] as Atom[];
      const names = [...new Set(atoms.flatMap(({ subject, object }) => [subject, object]).flatMap((term) => (term.kind === 'variable' ? [term.name] : [])))];
      const go = (i: number, values: Record<string, Term>): void => {
        if (i < names.length) {
          for (const term of domain) go(i + 1, { ...values, [names[i]]: term });
          return;
        }
        const [head, ...rest] = atoms.map((atom) => {
          const put = (term: RuleTerm): Term => (term.kind === 'variable' ? values[term.name] : term);
          const [subject, object] = [put(atom.subject), put(atom.object)];
          return subject.kind === 'entity' ? tripleKey({ subject: subject.id, relation: atom.relation, object, ...(atom.negated ? { negated: true } : {}) }) : '';
        });
        if (head !== tripleKey(goal)) return;
        if (rest.includes('')) return;
        const lacking = rest.filter((key) => !model.has(key)).length;
        if (rest.includes(head)) circular = Math.min(circular, lacking);
        else straight = Math.min(straight, lacking);
      };
      go(0, {});
    }
    const [first] = reasons?.attempts ?? [];
    const least = straight === Number.POSITIVE_INFINITY ? circular : straight;
    if ((first?.lacking ?? Number.POSITIVE_INFINITY) !== least) return t.equal(first?.lacking, least, `seed ${seed}: ${printRules(rules)} ${JSON.stringify(goal)}`);
    const missing = (first?.conditions ?? []).flatMap((condition) => (condition.kind === 'missing' ? [condition.item] : []));
    if (first) {
      supposed++;
      // What is missing whatever its value is supposed with one.
      const put = (term: RuleTerm): Term => (term.kind === 'variable' ? node('someone') : term);
      const added = missing.map(({ subject, relation, object, negated }) => ({ subject: (put(subject) as Term & { kind: 'entity' }).id, relation, object: put(object), ...(negated ? { negated } : {}) }));
      const now = await graph.deduce(BASE, { goal: { ...goal, subject: { kind: 'entity', id: goal.subject } }, facts: added, ...ask });
      if (now.outcome !== 'entailed') return t.equal(now.outcome, 'entailed', `seed ${seed}: ${printRules(rules)}`);
    }
    await graph.close();
  }
  return t.same({ asked, truncated, supposed }, { asked: 150, truncated: 0, supposed: 50 }, 'goals that do not follow, none of them looked into too briefly, and those of which all that is missing can hold');
});
