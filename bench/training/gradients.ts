// Owns the comparison of training with PyTorch: from the same weights, data and rate, the loss of every step and the gradients of the first.
// Refuses to know how either side computes. `--python` names a Python with torch, transformers and safetensors.

import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Architecture } from '../../src/model/import/architecture.ts';
import { SafetensorsFile } from '../../src/model/import/safetensors.ts';
import { writeSafetensors } from '../../src/model/import/safetensors-writer.ts';
import { openSource } from '../../src/model/import/source.ts';
import { packBatch } from '../../src/training/data/packing.ts';
import type { Batch, Sequence } from '../../src/training/batch.ts';
import { trainTokenizer } from '../../src/training/bpe.ts';
import { openTrainable } from '../../src/training/open-model.ts';
import { Random } from '../../src/training/random.ts';
import { openGradients } from '../../src/training/run/gradients.ts';
import type { MethodSpec } from '../../src/training/spec.ts';
import { Trainer } from '../../src/training/trainer.ts';
import { options, printMachine, printTable } from '../common/machine.ts';

const { python, steps, rate, threads, only, seconds } = options({ python: '', steps: 50, rate: 1e-3, threads: 2, only: '', seconds: 1200 });
if (python === '') {
  console.error('say --python with the path of a Python that has torch, transformers and safetensors');
  process.exit(2);
}
const ADAM = { beta1: 0.9, beta2: 0.95, epsilon: 1e-8, weight_decay: 0.1 };
const CLIP = 1;
/** What float32 may differ by: of losses over all steps, and of the first gradients (difference over size, of each parameter). */
const [NEAR, NEAR_GRADIENT] = [1e-3, 1e-4];
const VOCABULARY = 512;
const KEYS = {
  vocab_size: VOCABULARY,
  hidden_size: 64,
  intermediate_size: 172,
  num_hidden_layers: 4,
  num_attention_heads: 8,
  num_key_value_heads: 4,
  head_dim: 8,
  max_position_embeddings: 128,
  rms_norm_eps: 1e-5,
  rope_theta: 10_000,
  hidden_act: 'silu',
  bos_token_id: null,
  eos_token_id: 0,
  pad_token_id: null,
};
const { num_key_value_heads: _, ...GELU } = { ...KEYS, hidden_act: undefined };
const LORA = { kind: 'lora', rank: 8, alpha: 16 } as const satisfies MethodSpec;
const KINDS: readonly { readonly label: string; readonly config: object; readonly method?: typeof LORA }[] = [
  { label: 'Llama', config: { ...KEYS, model_type: 'llama', architectures: ['LlamaForCausalLM'] } },
  { label: 'Llama, adapters of rank 8', config: { ...KEYS, model_type: 'llama', architectures: ['LlamaForCausalLM'] }, method: LORA },
  { label: 'Mistral, a window of 8', config: { ...KEYS, model_type: 'mistral', architectures: ['MistralForCausalLM'], sliding_window: 8 } },
  { label: 'Qwen 2', config: { ...KEYS, head_dim: undefined, model_type: 'qwen2', architectures: ['Qwen2ForCausalLM'], tie_word_embeddings: true } },
  { label: 'Qwen 3', config: { ...KEYS, model_type: 'qwen3', architectures: ['Qwen3ForCausalLM'], tie_word_embeddings: true } },
  { label: 'Phi-3', config: { ...KEYS, head_dim: undefined, model_type: 'phi3', architectures: ['Phi3ForCausalLM'] } },
  {
    label: 'Gemma 2',
    config: {
      ...GELU,
      num_key_value_heads: 4,
      model_type: 'gemma2',
      architectures: ['Gemma2ForCausalLM'],
      hidden_activation: 'gelu_pytorch_tanh',
      query_pre_attn_scalar: 8,
      attn_logit_softcapping: 50.5,
      final_logit_softcapping: 30.5,
      sliding_window: 8,
      tie_word_embeddings: true,
    },
  },
  {
    label: 'Mixtral, 2 of 4 experts',
    config: {
      ...KEYS,
      head_dim: undefined,
      model_type: 'mixtral',
      architectures: ['MixtralForCausalLM'],
      num_local_experts: 4,
      num_experts_per_tok: 2,
      sliding_window: null,
    },
  },
  {
    label: 'DeepSeek-V3, 2 of 8 experts in 4 groups',
    config: {
      ...KEYS,
      head_dim: undefined,
      num_key_value_heads: 8,
      model_type: 'deepseek_v3',
      architectures: ['DeepseekV3ForCausalLM'],
      q_lora_rank: 24,
      kv_lora_rank: 16,
      qk_nope_head_dim: 8,
      qk_rope_head_dim: 8,
      v_head_dim: 8,
      moe_intermediate_size: 48,
      first_k_dense_replace: 1,
      n_routed_experts: 8,
      n_shared_experts: 1,
      num_experts_per_tok: 2,
      n_group: 4,
      topk_group: 2,
      norm_topk_prob: true,
      routed_scaling_factor: 2.5,
    },
  },
  {
    label: 'GPT-2',
    config: {
      model_type: 'gpt2',
      architectures: ['GPT2LMHeadModel'],
      vocab_size: VOCABULARY,
      n_embd: 64,
      n_layer: 4,
      n_head: 8,
      n_positions: 128,
      bos_token_id: 0,
      eos_token_id: 0,
    },
  },
];

/** A folder with weights drawn at random, as they are published. */
function makeFolder(folder: string, config: object): Architecture {
  mkdirSync(folder);
  writeFileSync(join(folder, 'config.json'), JSON.stringify(config));
  writeFileSync(join(folder, 'tokenizer.json'), trainTokenizer([], 257, ['<|end|>']));
  const { architecture } = openSource(join(folder, 'config.json'), { planned: true });
  const random = new Random(12);
  const drawn = (name: string, size: number, isMatrix: boolean): Float32Array =>
    Float32Array.from({ length: size }, () => random.normal() * (isMatrix ? 0.06 : 0.1) + (!isMatrix && !name.endsWith('bias') ? 1 : 0));
  writeSafetensors(
    join(folder, 'model.safetensors'),
    architecture.parameters.map((parameter) => {
      const values = (): Float32Array =>
        drawn(
          parameter.name,
          parameter.shape.reduce((a, b) => a * b),
          parameter.shape.length > 1,
        );
      return { ...architecture.source(parameter), values: () => architecture.restore?.(parameter)?.(values()) ?? values() };
    }),
  );
  return architecture;
}
/** Each step has other sequences: numbers that count on by a step of their own, of which all but the first two are learned. */
function makeData(): { readonly batch: Batch; readonly sequences: readonly Sequence[] }[] {
  const random = new Random(77);
  return Array.from({ length: steps }, () => {
    const sequences: Sequence[] = [];
    const batch = packBatch(
      () => {
        const [length, first, by] = [random.int(8, 30), random.int(1, VOCABULARY - 1), random.int(1, 9)];
        const sequence = { tokens: Array.from({ length }, (_, i) => (first + i * by) % VOCABULARY), learned: Array.from({ length }, (_, i) => i > 1) };
        sequences.push(sequence);
        return sequence;
      },
      8,
      64,
    );
    // The last one did not fit.
    return { batch, sequences: sequences.slice(0, -1) };
  });
}

/** What both sides are given of a kind of model, and what came of it here. */
interface Prepared {
  readonly label: string;
  readonly architecture: Architecture;
  readonly parameters: number;
  readonly losses: readonly number[];
  readonly gradients: ReadonlyMap<string, Float32Array>;
  readonly job: { readonly folder: string; readonly adapters: string; readonly scale: number; readonly gradients: string };
}
async function trainHere(folder: string, { label, config, method }: (typeof KINDS)[number], batches: readonly Batch[]): Promise<Prepared> {
  const architecture = makeFolder(folder, config);
  const model = openTrainable(folder, method ?? { kind: 'full' }, { seed: 5 });
  const { graph } = model;
  const weights = model.initial();
  const adapters = method ? join(folder, 'adapters.safetensors') : '';
  if (method)
    writeSafetensors(
      adapters,
      graph.parameters.map(({ name, shape }) => ({ name, shape, values: () => weights.get(name) ?? new Float32Array(0) })),
    );
  const first = await openGradients({ graph, weights, threads });
  const { gradients } = await first.compute([batches[0]], 0);
  await first.close();
  const trainer = await Trainer.open(graph, weights, { optimizer: { kind: 'adamw', ...ADAM }, clip: CLIP, threads });
  const losses: number[] = [];
  for (const batch of batches) losses.push((await trainer.train([batch], rate)).loss);
  await trainer.close();
  const job = { folder, adapters, scale: method ? method.alpha / method.rank : 0, gradients: join(folder, 'gradients.safetensors') };
  return {
    label,
    architecture,
    parameters: model.parameterCount,
    losses,
    gradients: new Map(graph.parameters.map(({ name }, i) => [name, gradients[i]])),
    job,
  };
}
/** All in one process, which takes long to start. */
function trainThere(place: string, settings: object): { readonly losses: readonly (readonly number[])[]; readonly versions: string } {
  const file = join(place, 'settings.json');
  writeFileSync(file, JSON.stringify({ ...settings, ...ADAM, clip: CLIP, rate, threads }));
  const { status, stdout, stderr } = spawnSync(python, [fileURLToPath(new URL('pytorch.py', import.meta.url)), file], {
    encoding: 'utf8',
    maxBuffer: 2 ** 26,
    timeout: seconds * 1000,
  });
  if (status !== 0) throw new Error(`${python} ${status === null ? `did not end within ${seconds} s` : 'failed'}: ${stderr.slice(-2000)}`);
  const { losses, torch, transformers } = JSON.parse(stdout.trim().split('\n').at(-1) ?? '') as { losses: number[][]; torch: string; transformers: string };
  return { losses, versions: `torch ${torch}, transformers ${transformers}` };
}
/** Largest difference of a parameter's gradients over their size. Experts lie in one tensor over there and are left out. */
function gradientsApart(
  file: string,
  architecture: Architecture,
  here: ReadonlyMap<string, Float32Array>,
): { readonly worst: number; readonly compared: number } {
  const there = new SafetensorsFile(file);
  const published = new Map(architecture.parameters.map((parameter) => [parameter.name, parameter]));
  let [worst, compared] = [0, 0];
  for (const [name, gradient] of here) {
    const parameter = published.get(name);
    const stored = parameter ? architecture.source(parameter).name : name;
    const found = [stored, `transformer.${stored}`].find((each) => there.shapeOf(each) !== undefined);
    if (found === undefined) continue;
    // A gradient lies as its weights do; Gemma's norms are moved by a constant, which it does not see.
    const isTurned = parameter !== undefined && parameter.shape.length === 2 && architecture.restore?.(parameter) !== undefined;
    const own = isTurned && parameter ? (architecture.restore?.(parameter)?.(gradient) ?? gradient) : gradient;
    const right = there.read(found);
    const [size, off] = [Math.hypot(...right), Math.hypot(...right.map((value, k) => value - own[k]))];
    // The first of two adapters has none while the second is zero.
    worst = Math.max(worst, size === 0 ? (off === 0 ? 0 : Infinity) : off / size);
    compared++;
  }
  there.close();
  return { worst, compared };
}

await printMachine(['onnxruntime-node']);
const place = mkdtempSync(join(tmpdir(), 'gradients-'));
const rows: (readonly (string | number)[])[] = [];
let wrong = false;
try {
  const data = makeData();
  const prepared: Prepared[] = [];
  for (const [i, kind] of KINDS.entries())
    if (kind.label.includes(only))
      prepared.push(
        await trainHere(
          join(place, String(i)),
          kind,
          data.map(({ batch }) => batch),
        ),
      );
  const { losses, versions } = trainThere(place, { jobs: prepared.map(({ job }) => job), steps: data.map(({ sequences }) => sequences) });
  for (const [i, { label, architecture, parameters, losses: here, gradients, job }] of prepared.entries()) {
    const apart = Math.max(...here.map((loss, step) => Math.abs(loss - losses[i][step])));
    const { worst, compared } = gradientsApart(job.gradients, architecture, gradients);
    const isWrong = !(apart < NEAR && worst < NEAR_GRADIENT) || compared === 0;
    wrong ||= isWrong;
    rows.push([
      isWrong ? `${label} (WRONG)` : label,
      parameters,
      here[0].toFixed(5),
      here.at(-1)?.toFixed(5) ?? '',
      losses[i].at(-1)?.toFixed(5) ?? '',
      apart.toExponential(1),
      worst.toExponential(1),
      `${compared} of ${gradients.size}`,
    ]);
  }
  console.log(`${steps} steps of AdamW at ${rate}, clipped at ${CLIP}; ${versions}\n`);
} finally {
  rmSync(place, { recursive: true, force: true });
}
printTable(
  ['model', 'parameters', 'first loss', 'last loss', 'PyTorch', 'largest difference of a loss', 'of a first gradient, over its size', 'gradients compared'],
  rows,
);
process.exit(wrong ? 1 : 0);
