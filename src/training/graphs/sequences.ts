// Owns the border of a loss graph: the inputs of a batch, shapes and masks made of them.
// Refuses to know what is computed between them.

import { DataType } from '../../model/onnx.ts';
import type { GraphBuilder } from '../../model/onnx.ts';
import { LEAST_STEPS } from '../batch.ts';

/** Stretches of a batch's steps: with n of them, (n + 1) / 2n of the scores between tokens are computed. */
const STRETCHES = LEAST_STEPS;
/** Some steps one behind the other; counts are int64 [1], of rows [T * B, ...]. */
export interface Stretch {
  readonly rows: string;
  /** With all that stand before them. */
  readonly rowsUpTo: string;
  readonly rowsBehind: string;
  /** What `Sequences.mask` says of these tokens (third axis) and those up to them (last axis). */
  readonly mask: (window?: number) => string;
}

/** Batches of packed rows (src/training/batch.ts): T steps of B rows, time-major. Rows [T * B, ...] in the graph are t * B + b. */
export class Sequences {
  /** int64 [T, B]: tokens, and positions that begin at 0 with each segment. */
  readonly ids = 'input_ids';
  readonly positions = 'positions';
  /** int64 [M]: rows whose next token is learned, and those tokens; float [M]: their weights. */
  readonly rows = 'rows';
  readonly targets = 'targets';
  readonly weights = 'weights';
  /** int64 [T * B] */
  readonly flatIds: string;
  readonly flatPositions: string;
  /** int64 [1] */
  readonly steps: string;
  readonly batch: string;
  readonly #g: GraphBuilder;
  /** bool [B, 1, T, T]: both tokens are of one segment. */
  readonly #same: string;
  readonly #range: string;
  readonly #made = new Map<string, string>();
  readonly #stretches: Stretch[] = [];

  constructor(g: GraphBuilder) {
    this.#g = g;
    for (const name of [this.ids, this.positions, 'segments']) g.input(name, 'int64', ['T', 'B']);
    g.input(this.rows, 'int64', ['M']);
    g.input(this.targets, 'int64', ['M']);
    g.input(this.weights, 'float', ['M']);
    this.flatIds = g.op('Reshape', [this.ids, g.ints([-1])]);
    this.flatPositions = g.op('Reshape', [this.positions, g.ints([-1])]);
    const shape = g.op('Shape', [this.ids]);
    [this.steps, this.batch] = [0, 1].map((axis) => g.op('Slice', [shape, g.ints([axis]), g.ints([axis + 1]), g.ints([0])]));
    this.#range = g.op('Range', [g.ints(0), g.op('Squeeze', [this.steps]), g.ints(1)]);
    const segments = g.op('Transpose', ['segments'], { perm: [1, 0] });
    this.#same = g.op('Equal', [g.op('Unsqueeze', [segments, g.ints([1, 3])]), g.op('Unsqueeze', [segments, g.ints([1, 2])])]);
  }
  #once(key: string, make: () => string): string {
    const found = this.#made.get(key) ?? make();
    this.#made.set(key, found);
    return found;
  }
  /** Shape [T, B, ...sizes], whatever T is. */
  shape = (...sizes: readonly number[]): string => this.#once(`shape ${sizes.join()}`, () => this.list(this.#g.ints([-1]), this.batch, this.#g.ints(sizes)));
  /** Shape [B, ...sizes]. */
  batched = (...sizes: readonly number[]): string => this.#once(`batched ${sizes.join()}`, () => this.list(this.batch, this.#g.ints(sizes)));
  /** Vectors one behind the other. */
  list(...parts: string[]): string {
    return this.#g.op('Concat', parts, { axis: { int: 0 } });
  }
  /** float [B, 1, T, T]: 0 where a token (third axis) sees another (last axis) of its segment: itself and those before, of these the last `window` with itself; elsewhere a large negative number. */
  mask(window?: number): string {
    const g = this.#g;
    return this.#once(`mask ${window}`, () => {
      const back = g.op('Sub', [g.op('Unsqueeze', [this.#range, g.ints([1])]), g.op('Unsqueeze', [this.#range, g.ints([0])])]);
      const behind = g.op('GreaterOrEqual', [back, g.ints(0)]);
      const seen = window === undefined ? behind : g.op('And', [behind, g.op('Less', [back, g.ints(window)])]);
      return g.op('Where', [g.op('And', [this.#same, seen]), g.scalar(0), g.scalar(-1e9)]);
    });
  }
  /** The T steps in STRETCHES one behind the other, none of which is empty. */
  get stretches(): readonly Stretch[] {
    if (this.#stretches.length > 0) return this.#stretches;
    const g = this.#g;
    const ends = [g.ints([0])];
    for (let i = 1; i < STRETCHES; i++) ends.push(g.op('Div', [g.op('Add', [g.op('Mul', [this.steps, g.ints([i])]), g.ints([STRETCHES - 1])]), g.ints([STRETCHES])]));
    ends.push(this.steps);
    const behind = ends.map((end) => g.op('Mul', [end, this.batch]));
    for (let i = 0; i < STRETCHES; i++) {
      const [from, to] = [ends[i], ends[i + 1]];
      this.#stretches.push({
        rows: g.op('Sub', [behind[i + 1], behind[i]]),
        rowsUpTo: behind[i + 1],
        rowsBehind: g.op('Sub', [behind[STRETCHES], behind[i + 1]]),
        mask: (window) => this.#once(`mask ${window} ${i}`, () => g.op('Slice', [this.mask(window), this.list(from, g.ints([0])), this.list(to, to), g.ints([2, 3])])),
      });
    }
    return this.#stretches;
  }
  /** The same without the token itself. */
  maskBefore(): string {
    const g = this.#g;
    return this.#once('mask before', () => {
      const before = g.op('Less', [g.op('Unsqueeze', [this.#range, g.ints([0])]), g.op('Unsqueeze', [this.#range, g.ints([1])])]);
      return g.op('Where', [g.op('And', [this.#same, before]), g.scalar(0), g.scalar(-1e9)]);
    });
  }
  /** float [T * B, 1]: 1 where so many tokens of the segment stand before, else 0. */
  follows(count: number): string {
    const g = this.#g;
    return this.#once(`follows ${count}`, () =>
      g.op('Cast', [g.op('GreaterOrEqual', [g.op('Unsqueeze', [this.flatPositions, g.ints([1])]), g.ints(count)])], { to: { int: DataType.float } }),
    );
  }
}
