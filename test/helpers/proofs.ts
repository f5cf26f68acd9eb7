// Owns what tests of proofs need: proofs of all that one program derives, grounds taken from the naive model, and proofs with one thing changed.
// Refuses to know how proofs are checked.

import { entity, literal, parseEntityId, parseFactId, termKey, tripleKey } from '../../graph/terms.ts';
import type { Fact, Term, Triple } from '../../graph/terms.ts';
import type { Grounds } from '../../graph/reason/proofs/checker.ts';
import { Database } from '../../graph/reason/tables/database.ts';
import { Evaluator, runNow } from '../../graph/reason/evaluate/evaluate.ts';
import type { RunResult } from '../../graph/reason/evaluate/evaluate.ts';
import { Explainer } from '../../graph/reason/proofs/explain.ts';
import { Program } from '../../graph/reason/evaluate/program.ts';
import { toProof } from '../../graph/reason/proofs/proof-trees.ts';
import type { Budget, Proof, Rule } from '../../graph/reason/types.ts';
import type { Known, naiveModel } from './naive-reasoner.ts';
import type { Random } from './random-programs.ts';

export const AMPLE: Budget = { answers: 100_000, facts: 1_000_000, ms: 60_000, depth: 100_000 };
export type Told = { readonly triple: Triple; readonly confidence: number };

export const factOf = ({ triple, confidence }: Told): Fact => ({
  ...triple,
  id: parseFactId(`f_${tripleKey(triple)}`),
  confidence,
  recordedAt: '2024-01-01T00:00:00.000Z',
});

/** Tells the facts, runs the rules. */
export function run(rules: readonly Rule[], told: readonly Told[], budget: Budget = AMPLE, now?: () => number): { program: Program; result: RunResult } {
  const database = new Database();
  for (const { triple, confidence } of told) database.tell(triple, confidence);
  const program = new Program(rules, database);
  return { program, result: runNow(new Evaluator(program, budget, now).derive()) };
}
/** All rows of a database, in the form of the naive model. */
export function contents({ database }: Program): Map<string, Known> {
  const all = new Map<string, Known>();
  for (const slot of database.slots())
    for (let row = 0; row < slot.table.count; row++) {
      const triple = database.triple(slot, row);
      all.set(tripleKey(triple), { triple, confidence: slot.table.confidence(row), told: slot.table.rules[row] < 0 });
    }
  return all;
}
/** What a program holds, as lines to be compared. */
export const listed = (all: ReadonlyMap<string, { readonly confidence: number; readonly told: boolean }>): string[] =>
  [...all].map(([key, { confidence, told }]) => `${told ? 'told' : 'derived'} ${key} ${confidence}`).toSorted();
/** Proofs of everything, told or derived. */
export function* proofs(program: Program, limits = { nodes: 100_000, height: 10_000 }): Generator<Proof> {
  const { database } = program;
  const explainer = new Explainer(program, limits);
  for (const slot of database.slots())
    for (let row = 0; row < slot.table.count; row++) {
      const fact = (triple: Triple): Fact | undefined => {
        const at = database.find(triple);
        return at && factOf({ triple, confidence: at.slot.table.confidence(at.row) });
      };
      const proof = toProof(explainer.explain({ slot, row }), database, { fact });
      if (!proof) throw new Error('a told row is not stored');
      yield proof;
    }
}
export function grounds(rules: readonly Rule[], model: ReturnType<typeof naiveModel>): Grounds {
  const byId = new Map(rules.map((rule) => [rule.id, rule]));
  return {
    fact(fact) {
      const known = model.get(tripleKey(fact));
      return known !== undefined && known.told && known.confidence === fact.confidence && fact.id === `f_${tripleKey(known.triple)}`;
    },
    rule: ({ id }) => byId.get(id),
    absent: ({ subject, object, relation, negated }) =>
      subject.kind === 'literal' ||
      (subject.kind === 'entity' && object.kind !== 'variable' && !model.has(tripleKey({ subject: subject.id, relation, object, negated }))),
    matching: ({ subject, object, relation, negated }) =>
      [...model.values()].flatMap(({ triple }) =>
        triple.relation === relation &&
        !triple.negated === !negated &&
        (subject.kind === 'variable' || termKey(subject) === termKey(entity(triple.subject))) &&
        (object.kind === 'variable' || termKey(object) === termKey(triple.object))
          ? [triple]
          : [],
      ),
    given: () => false,
  };
}

/** Everything in a proof that is meaningful and can be changed by itself, as functions that change a copy. */
export function mutations(proof: Proof, random: Random): Proof[] {
  const other = (term: Term): Term => (term.kind === 'entity' ? entity(parseEntityId(`${term.id}'`)) : literal(`${term.value}'`));
  const changed: Proof[] = [];
  const visit = (node: Proof, rebuild: (node: Proof) => Proof): void => {
    const push = (next: Proof): void => void changed.push(rebuild(next));
    switch (node.kind) {
      case 'fact':
        push({ ...node, conclusion: { ...node.conclusion, object: other(node.conclusion.object) } });
        push({ ...node, conclusion: { ...node.conclusion, negated: !node.conclusion.negated } });
        push({ ...node, fact: { ...node.fact, confidence: node.fact.confidence / 2 } });
        push({ ...node, confidence: node.confidence / 2 });
        push({ ...node, fact: { ...node.fact, id: parseFactId('f_none') } });
        push({ kind: 'given', conclusion: node.conclusion, confidence: node.confidence });
        return;
      case 'given':
      case 'absent':
      case 'compare':
      case 'aggregate':
        return;
      case 'rule': {
        const { rule, premises, bindings } = node;
        push({ ...node, conclusion: { ...node.conclusion, subject: parseEntityId(`${node.conclusion.subject}'`) } });
        push({ ...node, conclusion: { ...node.conclusion, negated: !node.conclusion.negated } });
        push({ ...node, confidence: node.confidence * 0.9 });
        push({ ...node, rule: { ...rule, id: 'r_0' } });
        push({ ...node, rule: { ...rule, id: rule.id, confidence: (rule.confidence ?? 1) / 2 } });
        push({ ...node, rule: { ...rule, id: rule.id, body: rule.body.slice(1).concat(rule.body[0] ?? rule.heads[0]), text: `${rule.text} ` } });
        push({ ...node, premises: [...premises, ...premises.slice(0, 1), ...(premises.length === 0 ? [node] : [])] });
        if (premises.length > 0) push({ ...node, premises: premises.slice(1) });
        for (const name of Object.keys(bindings)) {
          push({ ...node, bindings: { ...bindings, [name]: other(bindings[name]) } });
          push({ ...node, bindings: Object.fromEntries(Object.entries(bindings).filter(([key]) => key !== name)) });
        }
        premises.forEach((premise, i) => {
          const swap = (next: Proof): Proof => rebuild({ ...node, premises: premises.with(i, next) });
          const put = (next: Proof): void => void changed.push(swap(next));
          if (premise.kind === 'absent') {
            const conclusion = { ...premise.conclusion, negated: !premise.conclusion.negated };
            put({ ...premise, conclusion });
            put({ kind: 'compare', conclusion: { kind: 'compare', operator: '=', left: literal(1), right: literal(1) }, confidence: 1 });
          } else if (premise.kind === 'compare') {
            const { left, right, operator } = premise.conclusion;
            put({ ...premise, conclusion: { kind: 'compare', operator: operator === '=' ? '!=' : '=', left, right } });
            if (left.kind === 'entity' || left.kind === 'literal') put({ ...premise, conclusion: { ...premise.conclusion, left: other(left) } });
          } else if (premise.kind === 'aggregate') {
            const { members, total, conclusion } = premise;
            put({ ...premise, total: total + 1 });
            put({ ...premise, conclusion: { ...conclusion, result: other(conclusion.result as Term) } });
            put({ ...premise, conclusion: { ...conclusion, body: conclusion.body.slice(1) } });
            put({ kind: 'compare', conclusion: { kind: 'compare', operator: '=', left: literal(1), right: literal(1) }, confidence: 1 });
            members.forEach((member, m) => {
              put({ ...premise, members: [...members, member] });
              put({ ...premise, members: members.with(m, { ...member, premises: member.premises.slice(1) }) });
              for (const name of Object.keys(member.bindings))
                put({ ...premise, members: members.with(m, { ...member, bindings: { ...member.bindings, [name]: other(member.bindings[name]) } }) });
              member.premises.forEach((inner, p) => {
                if (inner.kind === 'fact' || inner.kind === 'rule')
                  visit(inner, (next) => swap({ ...premise, members: members.with(m, { ...member, premises: member.premises.with(p, next) }) }));
              });
            });
          } else {
            if (random.next() < 0.3) put({ ...premise, confidence: premise.confidence / 2 });
            visit(premise, swap);
          }
        });
        return;
      }
      default:
        node satisfies never;
    }
  };
  visit(proof, (node) => node);
  return changed;
}
