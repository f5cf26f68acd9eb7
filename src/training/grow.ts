// Owns starting a deeper decoder from the weights of one with fewer layers.
// Refuses to know folders, graphs and updates.

import { LATER_PARAMETERS } from '../model/decoder.ts';

/** Weights by name, as decoderParameters names them. */
type Weights = ReadonlyMap<string, Float32Array>;

/** What a layer adds to the residual stream goes through these two; zeros there make it the identity. */
const LAST = /^(out|down)$/;

/** Where each of `layers` layers comes from: the index of a given one, or nothing. The new ones stand evenly spread, each behind a given one. */
export function layerSources(given: number, layers: number): readonly (number | undefined)[] {
  if (given < 1 || layers < given) throw new Error(`a model of ${given} layers cannot be made one of ${layers}`);
  const added = layers - given;
  const fresh = new Set(Array.from({ length: added }, (_, k) => Math.ceil(((k + 1) * layers) / (added + 1))));
  let next = 0;
  return Array.from({ length: layers }, (_, i) => (fresh.has(i) ? undefined : next++));
}

/**
 * Puts the weights of a model of `given` layers into `drawn`, a start from nothing with `layers` layers, between which the new ones are the identity: the deeper model computes what the given one does
 * (Chen et al. 2016, "Net2Net", section 2.3: Net2DeeperNet), and its new layers start to learn by their last matrices. An embedding of fewer rows leaves the rows behind it as they were drawn.
 * Throws an Error that names the weights when their sizes differ.
 */
export function growInto(drawn: Weights, from: Weights, given: number, layers: number): void {
  const sources = layerSources(given, layers);
  for (const [name, values] of drawn) {
    const [, index, part] = /^layer\.(\d+)\.(.+)$/.exec(name) ?? [];
    const source = index === undefined ? undefined : sources[Number(index)];
    if (part !== undefined && source === undefined) {
      if (LAST.test(part)) values.fill(0);
      continue;
    }
    const found = from.get(part === undefined ? name : `layer.${source}.${part}`);
    if (found === undefined && LATER_PARAMETERS.has(name)) {
      values.fill(0);
      continue;
    }
    const shorter = name === 'embedding' && found !== undefined && found.length < values.length;
    if (found === undefined || (found.length !== values.length && !shorter)) throw new Error(`the given model has ${found?.length ?? 'no'} weights ${name}, this configuration needs ${values.length}`);
    values.set(found);
  }
}
