// Owns handing a run to a cluster: what is written, that the Python program compiles and makes the same rows and rates as Pharos, and what is refused.
// Refuses to know torch and transformers: a run of the program itself is the benchmark's.

import { spawnSync } from 'node:child_process';
import { accessSync, constants, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import t from 'tap';
import type { Test } from 'tap';
import { parseAllDocuments } from 'yaml';
import { epochOrder, planRows } from '../../src/training/data/packing.ts';
import { commonFolder, torchrunCommand, writeLaunch } from '../../src/training/launch/launch.ts';
import { scheduleOf } from '../../src/training/optimizers/schedules.ts';
import { trainingSpec } from '../../src/training/spec.ts';
import type { ScheduleSpec, TrainingSpec, TrainingSpecInput } from '../../src/training/spec.ts';

const hasPython = spawnSync('python3', ['--version']).status === 0;
const PROGRAM = ['spec.json', 'train.py', 'examples.py', 'schedules.py', 'adapters.py'];
/** A specification whose paths lie below the test's folder, and a model of the kind that transformers reads. */
function specOf(t: Test, more: Partial<TrainingSpecInput> = {}): TrainingSpec {
  const folder = t.testdir();
  mkdirSync(join(folder, 'llama'));
  writeFileSync(join(folder, 'llama/config.json'), '{"model_type": "llama"}');
  return trainingSpec.parse({
    model: join(folder, 'llama'),
    output: join(folder, 'tuned'),
    training_files: [join(folder, 'data/train.jsonl')],
    workers: 4,
    ...more,
  });
}
/** What a Python program prints as JSON, run among the files of a launch. */
function python(folder: string, program: string): unknown {
  const { status, stdout, stderr } = spawnSync('python3', ['-c', program], {
    cwd: folder,
    encoding: 'utf8',
    env: { ...process.env, PYTHONDONTWRITEBYTECODE: '1' },
  });
  if (status !== 0) throw new Error(stderr);
  return JSON.parse(stdout);
}

t.test('torchrun gets the specification with whole paths, the program, and a script that starts the workers of each machine', (t) => {
  const spec = specOf(t, { model: 'models/not-here' });
  const out = join(t.testdirName, 'launch');
  const { files, command } = writeLaunch(spec, { launcher: 'torchrun', nodes: 2, out });
  t.same(files, [...PROGRAM, 'launch.sh']);
  t.equal(command, `HEAD=<first machine> ${join(out, 'launch.sh')}`);
  t.same(JSON.parse(readFileSync(join(out, 'spec.json'), 'utf8')), { ...spec, model: join(process.cwd(), 'models/not-here') });
  const script = readFileSync(join(out, 'launch.sh'), 'utf8');
  t.match(
    script,
    '\nexec torchrun --nnodes 2 --nproc-per-node 2 --rdzv-backend c10d --rdzv-id pharos-training --rdzv-endpoint "$HEAD:29500" train.py --parallel ddp\n',
  );
  accessSync(join(out, 'launch.sh'), constants.X_OK);
  const unset = spawnSync('sh', [join(out, 'launch.sh')], { encoding: 'utf8', env: { PATH: process.env['PATH'] } });
  t.match(unset.stderr, /HEAD: set HEAD to the name or address of the first machine/);
  t.equal(torchrunCommand(1, 8, 'fsdp'), 'torchrun --nnodes 1 --nproc-per-node 8 --standalone train.py --parallel fsdp');
  t.end();
});

t.test('Ray gets a job of as many machines, the program in a map of files, and one volume that holds model, data and output', (t) => {
  const spec = specOf(t, { threads: 3 });
  const out = join(t.testdirName, 'launch');
  const { files, command } = writeLaunch(spec, { launcher: 'ray', nodes: 2, out, parallel: 'fsdp' });
  t.same(files, [...PROGRAM, 'ray-job.yaml']);
  t.equal(command, `kubectl apply -f ${join(out, 'ray-job.yaml')}`);
  const [code, job, ...others] = parseAllDocuments(readFileSync(join(out, 'ray-job.yaml'), 'utf8')).map((document) => document.toJS() as Record<string, never>);
  t.same(others, []);
  t.same(code['data'], Object.fromEntries(PROGRAM.map((name) => [name, readFileSync(join(out, name), 'utf8')])));
  const worker = {
    replicas: 2,
    template: {
      spec: {
        containers: [
          {
            resources: { limits: { cpu: '7', 'nvidia.com/gpu': '2' } },
            volumeMounts: [{ mountPath: '/home/ray/pharos-training' }, { mountPath: t.testdirName }],
          },
        ],
      },
    },
  };
  t.match(job, {
    apiVersion: 'ray.io/v1',
    kind: 'RayJob',
    spec: { entrypoint: 'python /home/ray/pharos-training/train.py --ray --parallel fsdp --gpu', rayClusterSpec: { workerGroupSpecs: [worker] } },
  });
  writeLaunch(spec, { launcher: 'ray', nodes: 1, out, gpu: false });
  t.notMatch(readFileSync(join(out, 'ray-job.yaml'), 'utf8'), /nvidia|entrypoint.*--gpu/);
  t.end();
});

t.test('the program makes the same rows in the same order, and the same rates, as Pharos', (t) => {
  const spec = specOf(t);
  const out = join(t.testdirName, 'launch');
  writeLaunch(spec, { launcher: 'torchrun', nodes: 1, out });
  const schedules: readonly ScheduleSpec[] = [
    { kind: 'constant', peak: 0.5, warmup: 3 },
    { kind: 'linear', peak: 1, warmup: 0, floor: 0.25 },
    { kind: 'cosine', peak: 0.001, warmup: 7, floor: 0.1 },
    { kind: 'multi_step', peak: 0.1, warmup: 0, milestones: [0.3, 0.81], gamma: 0.1 },
    { kind: 'multi_step', peak: 0.1, warmup: 5, milestones: [30, 80], gamma: [0.5, 0.2] },
  ];
  const lengths = Uint32Array.from({ length: 700 }, (_, i) => 3 + ((i * 7919) % 120));
  const plans = [0, 3].map((epoch) => {
    const { examples, starts, rows } = planRows(epochOrder(lengths.length, 12_345, epoch), lengths, 200);
    return Array.from({ length: rows }, (_, row) => [...examples.subarray(starts[row], starts[row + 1])]);
  });
  const rates = schedules.map((schedule) => Array.from({ length: 105 }, (_, step) => scheduleOf(schedule, 100)(step)));
  if (hasPython) {
    const made = python(
      out,
      `
import json
from examples import Batches, epoch_order, plan_rows
from schedules import rate_of
lengths = [3 + (i * 7919) % 120 for i in range(700)]
source = Batches(lengths, 4, 200, 2, 12345, epoch=0, batch=10)
print(json.dumps({
  "plans": [plan_rows(epoch_order(700, 12345, epoch), lengths, 200) for epoch in (0, 3)],
  "rates": [[rate_of(schedule, 100)(step) for step in range(105)] for schedule in json.loads(${JSON.stringify(JSON.stringify(schedules))})],
  "taken": source.take(2), "count": source.count(), "rest": len(source.take(1000))}))`,
    ) as { plans: number[][][]; rates: number[][]; taken: number[][][]; count: number; rest: number };
    t.same(made.plans, plans);
    t.same(made.taken, [plans[0].slice(40, 44), plans[0].slice(44, 48)], 'from the place of a checkpoint');
    t.equal(made.rest, made.count - 12);
    for (const [i, each] of rates.entries())
      for (const [step, rate] of each.entries())
        if (Math.abs(made.rates[i][step] - rate) > 1e-12) t.fail(`${schedules[i].kind} at step ${step}: ${made.rates[i][step]}, ${rate} in Pharos`);
  }
  t.equal(rates.length, 5);
  // Whether a step comes after a share is known when the data has been read.
  const mixed: ScheduleSpec = { kind: 'multi_step', peak: 1, warmup: 0, milestones: [0.5, 40], gamma: 0.1 };
  writeLaunch({ ...spec, schedule: mixed }, { launcher: 'torchrun', nodes: 1, out });
  const says = (total: number): unknown => python(out, `import json\nfrom schedules import rate_of\nprint(json.dumps(rate_of(${JSON.stringify(mixed)}, ${total})(40)))`);
  if (hasPython) {
    t.equal(says(60), scheduleOf(mixed, 60)(40));
    t.throws(() => says(100), /ValueError: schedule: milestone 40 \(step 40\) does not come after 0\.5 \(step 50\); milestones must rise/);
  }
  t.end();
});

t.test('the program compiles, and begins each file with what it owns', (t) => {
  const out = join(t.testdir(), 'launch');
  writeLaunch(specOf(t), { launcher: 'torchrun', nodes: 1, out });
  const files = PROGRAM.filter((name) => name.endsWith('.py')).map((name) => join(out, name));
  for (const file of files) t.match(readFileSync(file, 'utf8'), /^# Owns .*\n# Refuses to know /);
  if (hasPython) {
    const compiled = spawnSync('python3', ['-m', 'py_compile', ...files], { encoding: 'utf8' });
    t.equal(compiled.status, 0, compiled.stderr);
  }
  t.end();
});

t.test('a run that the program cannot make is refused before anything is written', (t) => {
  const spec = specOf(t);
  const out = join(t.testdirName, 'launch');
  t.throws(() => writeLaunch(spec, { launcher: 'torchrun', nodes: 3, out }), /workers: 4 cannot be spread evenly over 3 machines; give a multiple of 3/);
  t.throws(
    () => writeLaunch({ ...spec, model: fileURLToPath(new URL('../../models/pharos-mini', import.meta.url)) }, { launcher: 'torchrun', nodes: 1, out }),
    /pharos-mini is of the kind pharos-decoder, which transformers does not read/,
  );
  const served = join(t.testdirName, 'served');
  mkdirSync(join(served, 'onnx'), { recursive: true });
  writeFileSync(join(served, 'config.json'), '{"model_type": "llama"}');
  writeFileSync(join(served, 'onnx/model.onnx'), '');
  t.throws(
    () => writeLaunch({ ...spec, model: served }, { launcher: 'torchrun', nodes: 1, out }),
    /served has its weights in an ONNX graph alone, which transformers does not read/,
  );
  const other = join(t.testdirName, 'other');
  mkdirSync(other);
  writeFileSync(join(other, 'config.json'), '{"model_type": ');
  t.throws(() => writeLaunch({ ...spec, model: other }, { launcher: 'torchrun', nodes: 1, out }), { name: 'RangeError', message: /model: .*config\.json cannot be read: / });
  writeFileSync(join(other, 'config.json'), '{"model_type": "gpt2"}');
  const lora = { kind: 'lora', rank: 8, alpha: 16 } as const;
  t.throws(() => writeLaunch({ ...spec, model: other, method: lora }, { launcher: 'torchrun', nodes: 1, out }), /matrices of gpt2 the other way round/);
  t.throws(
    () => writeLaunch(specOf(t, { optimizer: { kind: 'muon' } }), { launcher: 'torchrun', nodes: 1, out, parallel: 'fsdp' }),
    /muon needs whole matrices/,
  );
  const asked = (more: Partial<TrainingSpecInput>) => (): unknown => writeLaunch(specOf(t, more), { launcher: 'torchrun', nodes: 1, out });
  const steps = (milestones: number[], gamma: number | number[] = 0.1): ScheduleSpec => ({ kind: 'multi_step', peak: 1, warmup: 0, milestones, gamma });
  t.throws(asked({ schedule: steps([0.9, 0.8]) }), { code: 'invalid_spec', message: /milestone 0\.8 does not come after 0\.9; milestones must rise/ });
  t.throws(asked({ schedule: steps([0.5, 10]), steps: 100 }), /milestone 10 \(step 10\) does not come after 0\.5 \(step 50\)/);
  t.throws(asked({ schedule: steps([0.8], [0.1, 0.2]) }), /2 gammas for 1 milestones/);
  t.throws(asked({ output: spec.model }), /output: .* is the folder of the model to start from, which would be lost/);
  t.throws(asked({ patience: 3 }), /patience: ending early needs losses on validation_files/);
  t.throws(() => writeLaunch({ ...spec, output: '/elsewhere/tuned' }, { launcher: 'ray', nodes: 1, out }), /lie under no common folder/);
  t.throws(() => accessSync(out), /ENOENT/);
  t.equal(commonFolder(['/a/b/c', '/a/b/d/e', '/a/b']), '/a/b');
  t.end();
});
