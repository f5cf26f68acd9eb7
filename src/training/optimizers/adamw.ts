// Owns AdamW.
// Refuses to know graphs, data, schedules and clipping.

import type { Optimizer, Parameter } from './optimizer.ts';

export interface AdamOptions {
  readonly beta1: number;
  readonly beta2: number;
  readonly epsilon: number;
  readonly weightDecay: number;
}

/** AdamW (Loshchilov and Hutter 2019, algorithm 2) over a list of float32 arrays, in place. */
export class AdamW implements Optimizer {
  readonly state: readonly Float32Array[];
  step = 0;
  readonly #parameters: readonly Pick<Parameter, 'values' | 'decay'>[];
  readonly #options: AdamOptions;

  constructor(parameters: readonly Pick<Parameter, 'values' | 'decay'>[], options: AdamOptions) {
    this.#parameters = parameters;
    this.#options = options;
    // First moments of all parameters, then second ones.
    this.state = [...parameters, ...parameters].map(({ values }) => new Float32Array(values.length));
  }

  update(gradients: readonly Float32Array[], rate: number, scale = 1): void {
    this.step++;
    const { beta1, beta2, epsilon, weightDecay } = this.#options;
    const size = rate / (1 - beta1 ** this.step);
    const correction = 1 / (1 - beta2 ** this.step);
    for (let p = 0; p < this.#parameters.length; p++) {
      const { values, decay } = this.#parameters[p];
      const gradient = gradients[p];
      const m = this.state[p];
      const v = this.state[this.#parameters.length + p];
      const shrink = decay ? 1 - rate * weightDecay : 1;
      const [fresh1, fresh2] = [1 - beta1, 1 - beta2];
      const { length } = values;
      // Each number is read and written once.
      for (let i = 0; i < length; i++) {
        const g = gradient[i] * scale;
        const first = beta1 * m[i] + fresh1 * g;
        const second = beta2 * v[i] + fresh2 * g * g;
        m[i] = first;
        v[i] = second;
        values[i] = values[i] * shrink - (size * first) / (Math.sqrt(second * correction) + epsilon);
      }
    }
  }
  async close(): Promise<void> {}
}
