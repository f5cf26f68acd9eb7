// Owns reverse-mode differentiation over ONNX graphs: what depends on what is trained, the backward program, sums of gradients.
// Refuses to know single operators (their rules are beside it), models and losses. Method: Griewank and Walther, "Evaluating Derivatives", 2nd ed., section 3.2.

import { GraphBuilder } from '../../model/onnx.ts';

/** A graph under construction. Values are names in `graph`; only those that depend on a variable get gradients, so that nothing is computed for what is frozen. */
export class Tape {
  readonly graph = new GraphBuilder();
  readonly #dependent = new Set<string>();
  readonly #gradients = new Map<string, string[]>();
  #backward: (() => void)[] = [];

  /** Says that the gradient of `value` is wanted. */
  variable(value: string): string {
    this.#dependent.add(value);
    return value;
  }
  depends(value: string): boolean {
    return this.#dependent.has(value);
  }
  /** An operator of one output: `emit` is given the output's gradient and contributes to those of the inputs. Recorded only where one of them depends on a variable. */
  record(output: string, inputs: readonly string[], emit: (gradient: string) => void): string {
    this.recordAll([output], inputs, ([gradient]) => emit(gradient));
    return output;
  }
  /** An operator of several outputs of the same rank; those that the loss does not depend on count as zeros. */
  recordAll(outputs: readonly string[], inputs: readonly string[], emit: (gradients: readonly string[]) => void): void {
    if (!inputs.some((input) => this.#dependent.has(input))) return;
    for (const output of outputs) this.#dependent.add(output);
    this.#backward.push(() => {
      const gradients = outputs.map((output) => this.gradient(output));
      if (gradients.some((gradient) => gradient !== undefined)) emit(gradients.map((gradient, i) => gradient ?? this.zerosLike(outputs[i])));
    });
  }
  /** Adds to the gradient of `value`, of the same shape; `gradient` is asked only where `value` depends on a variable. */
  contribute(value: string, gradient: () => string): void {
    if (!this.#dependent.has(value)) return;
    const list = this.#gradients.get(value);
    if (list) list.push(gradient());
    else this.#gradients.set(value, [gradient()]);
  }
  /** The summed gradient of `value`, or undefined when the loss does not depend on it. */
  gradient(value: string): string | undefined {
    const list = this.#gradients.get(value);
    if (list && list.length > 1) this.#gradients.set(value, [this.graph.op('Sum', list)]);
    return this.#gradients.get(value)?.[0];
  }
  zerosLike(value: string): string {
    return this.graph.op('Expand', [this.graph.scalar(0), this.graph.op('Shape', [value])]);
  }
  /** Emits all gradient nodes, last operator first. Losses have contributed to the gradients of their inputs before. */
  run(): void {
    for (const emit of this.#backward.toReversed()) emit();
    this.#backward = [];
  }
}
