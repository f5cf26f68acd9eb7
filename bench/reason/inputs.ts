// Owns the inputs of the reasoning benchmark: facts and rules of each row, as pairs and triples that every engine gets in its own language.
// Refuses to know engines.

import { readFile } from 'node:fs/promises';
import { join } from 'node:path';

export type RuleAtom = readonly [subject: string, relation: string, object: string];
/** Variables begin with `?`. */
export interface Input {
  readonly name: string;
  readonly facts: readonly RuleAtom[];
  readonly rules: readonly { readonly head: RuleAtom; readonly body: readonly RuleAtom[] }[];
  /** Facts that follow and are not given. */
  readonly derived?: number;
}

const CLOSURE: Input['rules'] = [
  { head: ['?x', 'path', '?y'], body: [['?x', 'edge', '?y']] },
  { head: ['?x', 'path', '?z'], body: [['?x', 'path', '?y'], ['?y', 'edge', '?z']] },
];

async function randomClosure(data: string): Promise<Input> {
  const lines = (await readFile(join(data, 'reasoning/tc-random/edge.facts'), 'utf8')).trim().split('\n');
  return { name: 'closure of a random graph', facts: lines.map((line): RuleAtom => { const [from, to] = line.split('\t'); return [`n${from}`, 'edge', `n${to}`]; }), rules: CLOSURE, derived: 2_514_315 };
}
const chain = (length: number): Input => ({
  name: `closure of a chain of ${length}`,
  facts: Array.from({ length: length - 1 }, (_, i): RuleAtom => [`n${i}`, 'edge', `n${i + 1}`]),
  rules: CLOSURE,
  derived: (length * (length - 1)) / 2,
});
const taxonomy = (classes: number): Input => ({
  name: `deep taxonomy of ${classes}`,
  facts: [['thing', 'type', 'c0']],
  rules: Array.from({ length: classes }, (_, i) => ({ head: ['?x', 'type', `c${i + 1}`] as const, body: [['?x', 'type', `c${i}`] as const] })),
  derived: classes,
});
/** The same taxonomy told as facts, for one rule over them. */
const subclasses = (classes: number): Input => ({
  name: `deep taxonomy of ${classes} as facts`,
  facts: [['thing', 'type', 'c0'], ...Array.from({ length: classes }, (_, i): RuleAtom => [`c${i}`, 'subClassOf', `c${i + 1}`])],
  rules: [{ head: ['?x', 'type', '?d'], body: [['?x', 'type', '?c'], ['?c', 'subClassOf', '?d']] }],
  derived: classes,
});
async function lubm(data: string, copies: number): Promise<Input> {
  const names = new Map<string, string>();
  const short = (term: string): string => {
    if (term.startsWith('c:')) return term.replace(':', '_').toLowerCase();
    let name = names.get(term);
    if (name === undefined) names.set(term, (name = `e${names.size}`));
    return name;
  };
  function atom([s, r, o]: string[]): RuleAtom {
    const term = (text: string): string => (text.startsWith('?') ? text.replace('?_', '?u') : short(text));
    return [term(s), r, term(o)];
  }
  const rules = (JSON.parse(await readFile(join(data, 'reasoning/lubm/rules.json'), 'utf8')) as { head: string[]; body: string[][] }[]).map(({ head, body }) => ({ head: atom(head), body: body.map(atom) }));
  const triples = (await readFile(join(data, 'reasoning/lubm/triples.tsv'), 'utf8')).trim().split('\n').map((line) => line.split('\t'));
  const facts: RuleAtom[] = [];
  for (let copy = 0; copy < copies; copy++)
    for (const [s, r, o] of triples) facts.push([copy === 0 ? short(s) : `${short(s)}x${copy}`, r, o.startsWith('c:') || copy === 0 ? short(o) : `${short(o)}x${copy}`]);
  return { name: `LUBM, ${copies} ${copies === 1 ? 'university' : 'universities'}`, facts, rules };
}

/** The rows by name: tc, chain, tax10k, tax100k, tax1m, sub100k, sub1m, lubm1, lubm10. */
export async function input(row: string, data: string): Promise<Input> {
  switch (row) {
    case 'tc':
      return randomClosure(data);
    case 'chain':
      return chain(2000);
    case 'tax10k':
      return taxonomy(10_000);
    case 'tax100k':
      return taxonomy(100_000);
    case 'tax1m':
      return taxonomy(1_000_000);
    case 'sub100k':
      return subclasses(100_000);
    case 'sub1m':
      return subclasses(1_000_000);
    case 'lubm1':
      return lubm(data, 1);
    case 'lubm10':
      return lubm(data, 10);
    default:
      throw new RangeError(`unknown row ${row}; use tc, chain, tax10k, tax100k, tax1m, sub100k, sub1m, lubm1 or lubm10`);
  }
}
