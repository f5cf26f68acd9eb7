// Owns that the lift of a learned rule compares shares of the same things.
// Refuses to know how rules are found.

import t from 'tap';
import type { MinedRule } from '../../../graph/knowledge.ts';
import type { Change } from '../../../graph/store.ts';
import { BASE, open, say } from '../../helpers/knowledge-world.ts';

async function learned(t: Parameters<typeof open>[0], facts: readonly Change[]): Promise<Map<string, MinedRule['measures']>> {
  const { graph } = await open(t);
  await graph.tell(BASE, facts);
  const limits = { ms: 3_600_000, rules: 1_000, facts: 100_000 };
  const { rules } = await (await graph.induce(BASE, { headCoverage: 0, confidence: 0, support: 2, limits })).ended();
  return new Map(rules.map(({ rule, measures }) => [rule.text.replace(/^@confidence\(\S+\) /u, ''), measures]));
}

t.test('a body that says nothing of those of which something is known has lift 1, however many others there are', async (t) => {
  const facts = Array.from({ length: 100 }, (_, i) => [say(`e${i}`, 'named', `n${i}`), ...(i < 10 ? [say(`e${i}`, 'has color', 'white')] : [])]).flat();
  const white = (await learned(t, facts)).get('"has color"(?x, white) :- named(?x, ?y).');
  t.match(white, { support: 10, predictions: 100, confidence: 0.1, pcaConfidence: 1, lift: 1 });
});

t.test('a body that tells those of a kind apart has the lift of its share among those of which something is known', async (t) => {
  const facts = Array.from({ length: 20 }, (_, i) => [
    say(`s${i}`, 'is a', 'swan'),
    say(`c${i}`, 'is a', 'crow'),
    ...(i < 6 ? [say(`s${i}`, 'has color', i === 0 ? 'black' : 'white'), say(`c${i}`, 'has color', 'black')] : []),
  ]).flat();
  const rules = await learned(t, facts);
  t.match(rules.get('"has color"(?x, white) :- swan(?x).'), { support: 5, predictions: 20, confidence: 0.25, pcaConfidence: 5 / 6, lift: 2 });
});

t.test('a path is compared with pairs of which one end has some fact of the head', async (t) => {
  const pairs = (relation: string, from: number, to: number) => Array.from({ length: to - from }, (_, i) => say(`a${from + i}`, relation, `b${from + i}`));
  const rules = await learned(t, [...pairs('p', 0, 4), ...pairs('q', 0, 8)]);
  // Four facts among the pairs of one of four subjects and any of 16 nodes.
  t.match(rules.get('p(?x, ?y) :- q(?x, ?y).'), { support: 4, predictions: 8, confidence: 0.5, pcaConfidence: 1, lift: 16 });
});
