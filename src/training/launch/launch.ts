// Owns handing a training specification to a cluster: a folder with the specification, the Python program that runs it, and what starts it by torchrun or Ray.
// Refuses to know what a run does.

import { chmodSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve, sep } from 'node:path';
import { stringify } from 'yaml';
import { reasonOf } from '../../model/import/checkpoint.ts';
import { hasGraphsAlone } from '../../model/import/graph-weights.ts';
import { requirePossible } from '../run/possible.ts';
import type { TrainingSpec } from '../spec.ts';

export const LAUNCHERS = ['torchrun', 'ray'] as const;
export type Launcher = (typeof LAUNCHERS)[number];
const PYTHON = new URL('./python/', import.meta.url);
const PROGRAM = ['train.py', 'examples.py', 'schedules.py', 'adapters.py'] as const;
/** Where torchrun's machines meet. */
const PORT = 29_500;
const image = (gpu: boolean): string => `rayproject/ray:latest${gpu ? '-gpu' : ''}`;
const NAME = 'pharos-training';
const CODE = '/home/ray/pharos-training';

export interface LaunchOptions {
  readonly launcher: Launcher;
  /** Machines; the specification's workers are spread over them evenly. */
  readonly nodes: number;
  /** Folder that is written. */
  readonly out: string;
  /** `ddp`: each worker holds the whole model; `fsdp`: workers share its parameters, gradients and moments. Default `ddp`. */
  readonly parallel?: 'ddp' | 'fsdp';
  /** Whether workers get a GPU each (Ray has to know). Default true. */
  readonly gpu?: boolean;
}

/** The specification with whole paths: it is read on other machines. */
const placed = (spec: TrainingSpec): TrainingSpec => ({
  ...spec,
  model: resolve(spec.model),
  output: resolve(spec.output),
  training_files: spec.training_files.map((file) => resolve(file)),
  validation_files: spec.validation_files.map((file) => resolve(file)),
});

/** Transformers reads what Hugging Face published; a model of Pharos's own kind stays with Pharos. */
function requireReadable({ model: folder, method }: TrainingSpec): void {
  const path = join(folder, 'config.json');
  // A folder that lies on the cluster alone is looked at there.
  if (!existsSync(path)) return;
  let type: unknown;
  try {
    ({ model_type: type } = JSON.parse(readFileSync(path, 'utf8')) as { readonly model_type?: unknown });
  } catch (error) {
    throw new RangeError(`model: ${path} cannot be read: ${reasonOf(error)}`, { cause: error });
  }
  if (type === 'gpt2' && method.kind === 'lora')
    throw new RangeError(
      'method: transformers keeps the matrices of gpt2 the other way round, where the adapters of this program do not fit; train it with Pharos, or by the method full',
    );
  if (type === 'pharos-decoder')
    throw new RangeError(
      `model: ${folder} is of the kind pharos-decoder, which transformers does not read; train it with Pharos, or give a folder with config.json and *.safetensors`,
    );
  if (hasGraphsAlone(folder))
    throw new RangeError(
      `model: ${folder} has its weights in an ONNX graph alone, which transformers does not read; train it with Pharos, or give the folder of *.safetensors that it was made from`,
    );
}

/** One line that runs on each machine, the first of which the others reach as HEAD. */
export function torchrunCommand(nodes: number, workersEach: number, parallel: 'ddp' | 'fsdp'): string {
  const meeting = nodes === 1 ? '--standalone' : `--rdzv-backend c10d --rdzv-id ${NAME} --rdzv-endpoint "$HEAD:${PORT}"`;
  return `torchrun --nnodes ${nodes} --nproc-per-node ${workersEach} ${meeting} train.py --parallel ${parallel}`;
}
function torchrunScript(spec: TrainingSpec, nodes: number, parallel: 'ddp' | 'fsdp'): string {
  const several =
    nodes > 1
      ? `# On each of the ${nodes} machines: HEAD=<name of the first> ./launch.sh\n: "\${HEAD:?set HEAD to the name or address of the first machine}"\n`
      : '';
  return `#!/bin/sh
# Runs spec.json with ${spec.workers} workers on ${nodes} machine${nodes > 1 ? 's' : ''}. The model, the data and the output lie under the same paths on all of them.
# Started again, it goes on from its checkpoint.
set -eu
${several}cd "$(dirname "$0")"
exec ${torchrunCommand(nodes, spec.workers / nodes, parallel)}
`;
}

/** The deepest folder that holds all that the specification names. */
export function commonFolder(paths: readonly string[]): string {
  const [first, ...others] = paths.map((path) => path.split(sep));
  let shared = 0;
  while (shared < first.length && others.every((parts) => parts[shared] === first[shared])) shared++;
  return first.slice(0, shared).join(sep);
}

/** A ConfigMap with the program and a RayJob of KubeRay (ray.io/v1), which is what `ray job submit` runs, too. */
function rayJob(
  spec: TrainingSpec,
  files: ReadonlyMap<string, string>,
  nodes: number,
  { parallel = 'ddp', gpu = true }: Pick<LaunchOptions, 'parallel' | 'gpu'>,
): string {
  const shared = commonFolder([spec.model, spec.output, ...[...spec.training_files, ...spec.validation_files].map((file) => dirname(file))]);
  if (shared === '') throw new RangeError('ray: model, data and output lie under no common folder, so that no one volume holds them; put them below one');
  const each = spec.workers / nodes;
  const resources = { cpu: String(each * spec.threads + 1), memory: `${8 * each}Gi`, ...(gpu ? { 'nvidia.com/gpu': String(each) } : {}) };
  const pod = (name: string, limits: object): object => ({
    spec: {
      containers: [
        {
          name,
          image: image(gpu),
          resources: { limits, requests: limits },
          volumeMounts: [
            { name: 'code', mountPath: CODE },
            { name: 'shared', mountPath: shared },
          ],
        },
      ],
      volumes: [
        { name: 'code', configMap: { name: NAME } },
        { name: 'shared', persistentVolumeClaim: { claimName: NAME } },
      ],
    },
  });
  const job = {
    apiVersion: 'ray.io/v1',
    kind: 'RayJob',
    metadata: { name: NAME },
    spec: {
      entrypoint: `python ${CODE}/train.py --ray --parallel ${parallel}${gpu ? ' --gpu' : ''}`,
      runtimeEnvYAML: stringify({ env_vars: { PYTHONPATH: CODE }, pip: ['torch>=2.9', 'transformers>=4.56'] }),
      shutdownAfterJobFinishes: true,
      rayClusterSpec: {
        headGroupSpec: { rayStartParams: { 'num-cpus': '0' }, template: pod('ray-head', { cpu: '2', memory: '8Gi' }) },
        workerGroupSpecs: [
          { groupName: 'workers', replicas: nodes, minReplicas: nodes, maxReplicas: nodes, rayStartParams: {}, template: pod('ray-worker', resources) },
        ],
      },
    },
  };
  const code = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: NAME }, data: Object.fromEntries(files) };
  return `# Submit with: kubectl apply -f ray-job.yaml. The claim ${NAME} is a volume that all machines write to; it is mounted at ${shared}.
# Without Kubernetes, on a machine of a running cluster: ray job submit --working-dir . -- ${job.spec.entrypoint.replace(`${CODE}/`, '')}
${[code, job].map((document) => stringify(document, { lineWidth: 0 })).join('---\n')}`;
}

/**
 * Writes the folder and returns the command that starts the run. The program trains what Pharos would: the same rows in the same order, the same schedule, updates and masks. Throws RangeError for a
 * model that transformers does not read, and for workers that cannot be spread evenly, RunError `invalid_spec` for what no run can be.
 */
export function writeLaunch(
  given: TrainingSpec,
  { launcher, nodes, out, parallel = 'ddp', gpu = true }: LaunchOptions,
): { readonly files: readonly string[]; readonly command: string } {
  const spec = placed(given);
  requirePossible(spec);
  requireReadable(spec);
  if (spec.workers % nodes !== 0)
    throw new RangeError(
      `workers: ${spec.workers} cannot be spread evenly over ${nodes} machines; give a multiple of ${nodes} in the specification: one worker for each GPU`,
    );
  if (parallel === 'fsdp' && spec.optimizer.kind === 'muon')
    throw new RangeError('optimizer: muon needs whole matrices, and fsdp cuts them; use ddp, or adamw');
  const files = new Map([
    ['spec.json', `${JSON.stringify(spec, null, 2)}\n`],
    ...PROGRAM.map((name) => [name, readFileSync(new URL(name, PYTHON), 'utf8')] as const),
  ]);
  const starter = launcher === 'torchrun' ? 'launch.sh' : 'ray-job.yaml';
  const all = new Map([...files, [starter, launcher === 'torchrun' ? torchrunScript(spec, nodes, parallel) : rayJob(spec, files, nodes, { parallel, gpu })]]);
  mkdirSync(out, { recursive: true });
  for (const [name, text] of all) writeFileSync(join(out, name), text);
  if (launcher === 'torchrun') chmodSync(join(out, starter), 0o755);
  const head = nodes > 1 ? `HEAD=<first machine> ` : '';
  return { files: [...all.keys()], command: launcher === 'torchrun' ? `${head}${join(out, starter)}` : `kubectl apply -f ${join(out, starter)}` };
}
