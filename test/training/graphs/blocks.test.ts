// Owns every differentiation rule against float64: the values of the operator, and its gradients against central differences of the same equations in float64.
// Refuses to know models.

import * as ort from 'onnxruntime-node';
import t from 'tap';
import { product } from '../../../src/training/graphs/linear.ts';
import { Tape } from '../../../src/training/graphs/tape.ts';
import { Random } from '../../../src/training/random.ts';
import { BLOCKS } from './blocks.ts';
import type { Values } from './blocks.ts';
import { CONTRAST_BLOCKS } from './contrast-blocks.ts';

const sizeOf = (shape: readonly number[]): number => shape.reduce((a, b) => a * b, 1);
const near = (given: ArrayLike<number>, right: ArrayLike<number>): number => {
  const size = Math.max(...Array.from(right, Math.abs), 1e-3);
  return Math.max(...Array.from(right, (value, i) => Math.abs(given[i] - value) / size));
};

for (const { label, inputs, graph, right } of [...BLOCKS, ...CONTRAST_BLOCKS])
  t.test(`${label}: values and gradients are those of float64`, async (t) => {
    const random = new Random(17);
    const names = Object.keys(inputs);
    const given = Object.fromEntries(names.map((name) => [name, Float32Array.from({ length: sizeOf(inputs[name]) }, () => random.normal())]));
    const exact: Values = Object.fromEntries(names.map((name) => [name, Float64Array.from(given[name])]));
    const values = right(exact);
    const isLoss = values.length === 1;
    // What a loss would say of each number.
    const blame = Float32Array.from({ length: values.length }, () => (isLoss ? 1 : random.normal()));

    const tape = new Tape();
    for (const name of names) tape.variable(tape.graph.input(name, 'float', inputs[name]));
    const y = graph(tape);
    if (!isLoss) tape.contribute(y, () => tape.graph.op('Reshape', [tape.graph.weight('blame', blame, [blame.length]), tape.graph.op('Shape', [y])]));
    tape.run();
    tape.graph.op('Reshape', [y, tape.graph.ints([-1])], {}, { outputs: ['result'] });
    tape.graph.output('result', 'float', ['n']);
    for (const name of names)
      tape.graph.output(tape.graph.op('Identity', [tape.gradient(name) ?? ''], {}, { outputs: [`gradient.${name}`] }), 'float', inputs[name]);
    const session = await ort.InferenceSession.create(tape.graph.finish('block'), { executionProviders: ['cpu'], intraOpNumThreads: 1 });
    t.teardown(async () => session.release());
    const results = await session.run(Object.fromEntries(names.map((name) => [name, new ort.Tensor('float32', given[name], inputs[name])])));

    const error = near(results['result'].data as Float32Array, values);
    t.ok(error < 3e-6, `values: ${error.toExponential(1)}`);
    const loss = (moved: Values): number => Array.from(right(moved)).reduce((sum, value, i) => sum + value * blame[i], 0);
    for (const name of names) {
      const slopes = Array.from(exact[name], (value, i) => {
        const at = (step: number): number => loss({ ...exact, [name]: exact[name].with(i, value + step) });
        return (at(1e-5) - at(-1e-5)) / 2e-5;
      });
      const off = near(results[`gradient.${name}`].data as Float32Array, slopes);
      t.ok(off < 3e-6, `gradient of ${name}: ${off.toExponential(1)}`);
    }
  });

t.test('nothing is emitted for what does not depend on a variable', (t) => {
  const tape = new Tape();
  tape.graph.input('x', 'float', [5, 6]);
  tape.graph.input('w', 'float', [3, 6]);
  tape.graph.input('a', 'float', [2, 3]);
  tape.variable('a');
  const frozen = product(tape, 'x', 'w', { turned: true });
  t.notOk(tape.depends(frozen));
  const y = product(tape, frozen, 'a', { turned: true });
  t.ok(tape.depends(y));
  tape.contribute(y, () => y);
  tape.contribute(frozen, () => {
    throw new Error('its gradient was asked for');
  });
  tape.run();
  t.equal(tape.gradient('w'), undefined);
  t.not(tape.gradient('a'), undefined);
  t.end();
});
