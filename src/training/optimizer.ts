// Owns AdamW and the learning-rate schedule.
// Refuses to know graphs and data.

export interface AdamOptions {
  readonly beta1: number;
  readonly beta2: number;
  readonly epsilon: number;
  readonly weightDecay: number;
  /** Gradients are scaled down to this Euclidean norm over all parameters. */
  readonly clip: number;
}
export interface Parameter {
  readonly name: string;
  readonly values: Float32Array;
  readonly decay: boolean;
}

/** AdamW (Loshchilov and Hutter 2019, algorithm 2) over a list of float32 arrays, in place. */
export class AdamW {
  readonly options: AdamOptions;
  readonly first: readonly Float32Array[];
  readonly second: readonly Float32Array[];
  /** Updates made so far. */
  step = 0;
  readonly #parameters: readonly Parameter[];

  constructor(parameters: readonly Parameter[], options: AdamOptions) {
    this.#parameters = parameters;
    this.options = options;
    this.first = parameters.map(({ values }) => new Float32Array(values.length));
    this.second = parameters.map(({ values }) => new Float32Array(values.length));
  }

  /** One update with gradients in the order of the parameters. Returns the gradient norm before clipping. Throws RangeError when it is not finite; nothing is changed then. */
  update(gradients: readonly Float32Array[], learningRate: number): number {
    let square = 0;
    for (const gradient of gradients) for (let i = 0; i < gradient.length; i++) square += gradient[i] * gradient[i];
    const norm = Math.sqrt(square);
    if (!Number.isFinite(norm)) throw new RangeError(`gradient norm is ${norm} at step ${this.step + 1}; lower the learning rate`);
    this.step++;
    const { beta1, beta2, epsilon, weightDecay, clip } = this.options;
    const scale = norm > clip ? clip / norm : 1;
    const size = learningRate / (1 - beta1 ** this.step);
    const correction = 1 / (1 - beta2 ** this.step);
    for (let p = 0; p < this.#parameters.length; p++) {
      const { values, decay } = this.#parameters[p];
      const gradient = gradients[p];
      const m = this.first[p];
      const v = this.second[p];
      const shrink = decay ? 1 - learningRate * weightDecay : 1;
      for (let i = 0; i < values.length; i++) {
        const g = gradient[i] * scale;
        m[i] = beta1 * m[i] + (1 - beta1) * g;
        v[i] = beta2 * v[i] + (1 - beta2) * g * g;
        values[i] = values[i] * shrink - (size * m[i]) / (Math.sqrt(v[i] * correction) + epsilon);
      }
    }
    return norm;
  }
}

/** Linear warm-up to `peak` over `warmup` steps, then half a cosine down to `peak * floor` at `total`. Steps count from 0. */
export function cosineSchedule(options: { readonly peak: number; readonly warmup: number; readonly total: number; readonly floor: number }): (step: number) => number {
  const { peak, warmup, total, floor } = options;
  return (step) => {
    if (step < warmup) return (peak * (step + 1)) / warmup;
    const progress = Math.min(1, (step - warmup) / Math.max(1, total - warmup));
    return peak * (floor + (1 - floor) * 0.5 * (1 + Math.cos(Math.PI * progress)));
  };
}
