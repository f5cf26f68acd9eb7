// Owns the decoder of GPT-2 against an independent float64 implementation.
// Refuses to know text and files.

import t from 'tap';
import { transposed } from '../../src/model/decoder-parts.ts';
import { buildGpt2, gpt2Parameters } from '../../src/model/gpt2.ts';
import type { Gpt2Config } from '../../src/model/gpt2.ts';
import { Random } from '../../src/training/random.ts';
import { gpt2Logits } from './gpt2-reference.ts';
import { feedInPieces, openGraph } from './graph.ts';
import { relativeError } from './reference.ts';

const CONFIG: Gpt2Config = { vocabularySize: 61, width: 24, layers: 2, heads: 3, feedForward: 40, contextLength: 32, normEpsilon: 1e-5, tied: true };
const TEXTS = [[3, 41, 9, 9, 27, 60, 1, 3, 41, 9, 9, 28, 5, 6, 0, 12, 33], [8, 15, 16, 5], [41, 9, 9, 27, 3, 3, 3, 50, 2]];
const PIECES = [[9, 1, 4, 3], [1, 1, 1, 1], [5, 2, 1, 1]];

t.test('logits are right after every token, alone and side by side', async (t) => {
  const random = new Random(7);
  // As published: matrices in layers are the other way round.
  const published = new Map<string, Float32Array>();
  const own = new Map<string, Float32Array>();
  for (const { name, shape } of gpt2Parameters(CONFIG)) {
    const size = shape.reduce((a, b) => a * b, 1);
    const values = Float32Array.from({ length: size }, () => (/ln_.\.weight/.test(name) ? 1 + 0.3 * random.normal() : random.normal() * (shape.length === 2 ? 1.5 / Math.sqrt(CONFIG.width) : 0.3)));
    published.set(name, values);
    own.set(name, name.startsWith('h.') && shape.length === 2 ? transposed(values, shape[1], shape[0]) : values);
  }
  const file = buildGpt2(CONFIG, { weights: (name) => own.get(name) ?? new Float32Array(0), storage: 'float' });
  const heads = [CONFIG.heads, CONFIG.width / CONFIG.heads];
  const graph = await openGraph(t, file, { growing: Object.fromEntries(Array.from({ length: CONFIG.layers }, (_, i) => [[`key.${i}`, heads], [`value.${i}`, heads]]).flat()) });
  const right = TEXTS.map((tokens) => gpt2Logits(CONFIG, published, tokens));
  let worst = 0;
  await feedInPieces(graph, TEXTS, PIECES, (text, place, logits) => void (worst = Math.max(worst, relativeError(logits, right[text][place]))));
  t.comment(`largest error over largest logit ${worst.toExponential(1)}`);
  t.ok(worst < 2e-5);
});

t.test('a matrix is turned, whatever its size', (t) => {
  for (const [rows, columns] of [[1, 1], [3, 70], [33, 32], [64, 5]]) {
    const values = Float32Array.from({ length: rows * columns }, (_, i) => i);
    const turned = transposed(values, rows, columns);
    t.ok(turned.every((value, i) => value === values[(i % rows) * columns + Math.floor(i / rows)]), `${rows} by ${columns}`);
  }
  t.end();
});
