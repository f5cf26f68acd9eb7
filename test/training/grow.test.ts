// Owns that a deeper decoder begins as the one that it was grown from, learns in its new layers, and refuses weights that do not fit.
// Refuses to know the shipped model's data and folders.

import t from 'tap';
import { growInto, layerSources } from '../../src/training/grow.ts';
import { drawnWeights } from '../../src/training/initial.ts';
import { Random } from '../../src/training/random.ts';
import { CONFIG, copies, openTrainer } from './tiny.ts';

t.test('new layers stand spread among the given ones, which stay in order', async (t) => {
  t.same(layerSources(4, 6), [0, 1, undefined, 2, undefined, 3]);
  t.same(layerSources(2, 3), [0, 1, undefined]);
  t.same(layerSources(3, 3), [0, 1, 2]);
  t.throws(() => layerSources(4, 3), { message: 'a model of 4 layers cannot be made one of 3' });
});

t.test('a grown decoder computes what the given one does, and then learns on in all layers', async (t) => {
  const shallow = await openTrainer({ seed: 5 });
  const data = new Random(8);
  for (let i = 0; i < 20; i++) await shallow.train([copies(data)], 3e-3);
  const held = [copies(new Random(1000))];
  const config = { ...CONFIG, layers: 4 };
  const deep = await openTrainer({ seed: 6, config });
  growInto(deep.weights, shallow.weights, CONFIG.layers, config.layers);
  const before = await deep.evaluate(held);
  t.ok(Math.abs(before - (await shallow.evaluate(held))) < 1e-5);
  for (let i = 0; i < 20; i++) await deep.train([copies(data)], 3e-3);
  t.ok((await deep.evaluate(held)) < before);
  for (let layer = 0; layer < config.layers; layer++) t.ok(deep.weights.get(`layer.${layer}.out`)?.some((value) => value !== 0), `layer ${layer} adds something`);
  await Promise.all([shallow.close(), deep.close()]);
});

t.test('a smaller vocabulary fills the first rows; weights of another width are refused by name', async (t) => {
  const given = drawnWeights({ ...CONFIG, vocabularySize: 30 }, 1);
  const grown = drawnWeights(CONFIG, 2);
  const drawn = drawnWeights(CONFIG, 2).get('embedding');
  growInto(grown, given, CONFIG.layers, CONFIG.layers);
  t.same(grown.get('embedding')?.slice(0, 30 * CONFIG.width), given.get('embedding'));
  t.same(grown.get('embedding')?.slice(30 * CONFIG.width), drawn?.slice(30 * CONFIG.width));
  t.throws(() => growInto(drawnWeights(CONFIG, 2), drawnWeights({ ...CONFIG, feedForward: 32 }, 1), CONFIG.layers, CONFIG.layers), { message: 'the given model has 1024 weights layer.0.up, this configuration needs 2048' });
});
