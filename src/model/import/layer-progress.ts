// Owns what is told of a model's layers while they are written: which are done, their bytes, what rounding took of them.
// Refuses to know where weights come from and how graphs are made.

import type { Storage } from '../decoder-parts.ts';
import type { Architecture } from './architecture.ts';
import { bytesOf } from './plan.ts';

export interface LayerReport {
  readonly layer: number;
  /** Of its weights, as they are stored. */
  readonly bytes: number;
  /** What rounding to halves or to few bits took of its matrices: the root mean square of the error over that of the weights; of all of them together, and of the worst. Undefined where they are stored whole. */
  readonly lost?: { readonly all: number; readonly worst: number; readonly name: string };
}
/** Called when a layer is written. */
export type OnLayer = ((layer: LayerReport, layers: number) => void) | undefined;
interface Open {
  readonly missing: Set<string>;
  readonly losses: { readonly name: string; readonly error: number; readonly energy: number }[];
  bytes: number;
}

/** Tells of layers as they are done: when all parameters of one were asked for, and another follows. Some may be in two graphs. */
export class LayerProgress {
  readonly layers: LayerReport[] = [];
  readonly #outside = new Map<string, number>();
  readonly #architecture: Architecture;
  readonly #onLayer: OnLayer;
  readonly #open: ReadonlyMap<number, Open>;
  #current: number | undefined;

  constructor(architecture: Architecture, storage: Storage, onLayer: OnLayer) {
    this.#architecture = architecture;
    this.#onLayer = onLayer;
    const open = new Map<number, Open>();
    for (const parameter of architecture.parameters) {
      const layer = architecture.layerOf(parameter.name);
      if (layer === undefined) continue;
      const own = open.get(layer) ?? { missing: new Set(), losses: [], bytes: 0 };
      own.missing.add(parameter.name);
      own.bytes += bytesOf(architecture, parameter, storage);
      open.set(layer, own);
    }
    this.#open = open;
  }
  get outside(): readonly { readonly name: string; readonly lost: number }[] {
    return Array.from(this.#outside, ([name, lost]) => ({ name, lost }));
  }
  enter(name: string | undefined): void {
    const layer = name === undefined ? undefined : this.#architecture.layerOf(name);
    const left = this.#current;
    if (layer !== left && left !== undefined) this.#leave(left);
    this.#current = layer;
    if (name !== undefined && layer !== undefined) this.#open.get(layer)?.missing.delete(name);
  }
  lost(name: string, error: number, energy: number): void {
    const layer = this.#architecture.layerOf(`${name}.`);
    if (layer === undefined) this.#outside.set(name, error);
    else this.#open.get(layer)?.losses.push({ name, error, energy });
  }
  #leave(layer: number): void {
    const own = this.#open.get(layer);
    if (!own || own.missing.size > 0) return;
    const { losses, bytes } = own;
    const worst = losses.reduce((a, b) => (b.error > a.error ? b : a), { name: '', error: -1, energy: 0 });
    const energy = losses.reduce((sum, each) => sum + each.energy, 0);
    const all = energy === 0 ? 0 : Math.sqrt(losses.reduce((sum, each) => sum + each.error ** 2 * each.energy, 0) / energy);
    const report = { layer, bytes, ...(losses.length > 0 ? { lost: { all, worst: worst.error, name: worst.name } } : {}) };
    this.layers.push(report);
    this.#onLayer?.(report, this.#architecture.layers);
  }
}
