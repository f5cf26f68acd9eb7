// Owns what tests of imported models share: small checkpoints of the Llama family as published, and what the engine says of them against what the equations say.
// Refuses to know single families.

import { join } from 'node:path';
import type { Test } from 'tap';
import { readModelFiles } from '../../src/engine/models/model-files.ts';
import type { Engine } from '../../src/engine/port.ts';
import { ModelTokenizer } from '../../src/engine/text/tokenizer.ts';
import { importModel } from '../../src/model/import/import-model.ts';
import { llamaParameters } from '../../src/model/llama.ts';
import type { LlamaConfig } from '../../src/model/llama.ts';
import { ask, collect, startEngine } from '../engine/world.ts';
import { writeFolder } from './checkpoints.ts';
import type { FolderOptions, Tensor } from './checkpoints.ts';
import { llamaLogits, randomWeights, SMALL } from './llama-reference.ts';
import type { Weights } from './reference.ts';

export const VOCABULARY = 300;
export const BASE: LlamaConfig = { ...SMALL, vocabularySize: VOCABULARY };
export const HF = {
  vocab_size: VOCABULARY,
  hidden_size: 32,
  intermediate_size: 48,
  num_hidden_layers: 2,
  num_attention_heads: 6,
  num_key_value_heads: 2,
  head_dim: 8,
  max_position_embeddings: 64,
  rms_norm_eps: 1e-5,
  rope_theta: 10_000,
  hidden_act: 'silu',
  torch_dtype: 'bfloat16',
  use_cache: true,
};
export const PROMPTS = [[257, 3, 280, 280, 72, 1, 2], [65]];
export const COUNT = 10;

export function tensorsOf(config: LlamaConfig, seed: number): Map<string, Tensor> {
  const weights = randomWeights(config, seed);
  return new Map(llamaParameters(config).map(({ name, shape }) => [name, { shape, values: weights.get(name) ?? new Float32Array() }]));
}
/** What a model says, greedily, until the end token. */
export function greedy(logits: (tokens: readonly number[]) => Float64Array, prompt: readonly number[]): number[] {
  const said: number[] = [];
  while (said.length < COUNT) {
    const row = logits([...prompt, ...said]);
    const next = row.indexOf(Math.max(...row));
    said.push(next);
    if (next === VOCABULARY - 1) break;
  }
  return said;
}
export async function compare(t: Test, engine: Engine, folder: string, logits: (tokens: readonly number[]) => Float64Array): Promise<void> {
  const { id: model, tokenizer, tokenizerConfig } = await readModelFiles(folder);
  const tokens = new ModelTokenizer(tokenizer, tokenizerConfig);
  await Promise.all(
    PROMPTS.map(async (ids) => {
      const detokenizer = tokens.detokenizer();
      const right = greedy(logits, ids);
      const given = await collect(engine.generate(ask('', { model, prompt: { kind: 'tokens', ids }, maxTokens: COUNT })));
      t.equal(given.text, right.map((id) => detokenizer.push(id)).join(''), ids.join());
      t.equal(given.usage?.completionTokens, right.length);
    }),
  );
}
export interface Made {
  readonly folder: string;
  readonly out: string;
  /** As the element type holds them. */
  readonly weights: Map<string, Float32Array>;
}
export function made(
  t: Test,
  config: Readonly<Record<string, unknown>> & { readonly vocab_size: number },
  tensors: ReadonlyMap<string, Tensor>,
  options: FolderOptions = {},
): Made {
  return madeIn(t.testdir(), 'made', config, tensors, options);
}
export function madeIn(
  parent: string,
  name: string,
  config: Readonly<Record<string, unknown>> & { readonly vocab_size: number },
  tensors: ReadonlyMap<string, Tensor>,
  options: FolderOptions = {},
): Made {
  const folder = join(parent, 'published', name);
  return { folder, out: join(parent, 'models', name), weights: writeFolder(folder, config, tensors, options) };
}
export const last =
  (config: LlamaConfig, weights: Weights) =>
  (tokens: readonly number[]): Float64Array =>
    llamaLogits(config, weights, tokens)[tokens.length - 1];

/** A layer as published. */
export const LAYER = [
  'input_layernorm',
  'self_attn.q_proj',
  'self_attn.k_proj',
  'self_attn.v_proj',
  'self_attn.o_proj',
  'post_attention_layernorm',
  'mlp.gate_proj',
  'mlp.up_proj',
  'mlp.down_proj',
];
export const EXPERT = (name: string): string[] => ['gate_proj', 'up_proj', 'down_proj'].map((part) => `mlp.${name}.${part}`);
export interface Family {
  readonly label: string;
  readonly keys: object;
  readonly config: Partial<LlamaConfig>;
  readonly folder?: FolderOptions;
  readonly layer?: readonly string[];
  readonly lastLayer?: readonly string[];
  readonly published?: (name: string) => string;
}

/** Brings all in, and has one engine say each. */
export async function checkFamilies(t: Test, all: readonly Family[]): Promise<void> {
  const parent = t.testdir();
  const families = all.map(({ label, keys, config: more, folder: how, layer, lastLayer, published = (name) => name }, i) => {
    const config = { ...BASE, ...more };
    const tensors = tensorsOf(config, 31);
    const {
      folder,
      out,
      weights: held,
    } = madeIn(parent, `family-${i}`, { ...HF, ...keys }, new Map([...tensors].map(([name, tensor]) => [published(name), tensor])), how);
    const weights = new Map([...tensors.keys()].map((name) => [name, held.get(published(name)) ?? new Float32Array()]));
    const named = (names: readonly string[], number: number): string[] =>
      names.map((name) => `model.layers.${number}.${name}${name.endsWith('bias') ? '' : '.weight'}`).toSorted();
    const inLayer = (number: number): string[] => [...weights.keys()].filter((name) => name.startsWith(`model.layers.${number}.`)).toSorted();
    if (layer) t.same(inLayer(0), named(layer, 0), `${label}: tensors have their published names`);
    if (lastLayer) t.same(inLayer(1), named(lastLayer, 1));
    const report = importModel({ from: folder, out, storage: 'float' });
    t.equal(
      report.parameters,
      [...weights.values()].reduce((sum, { length }) => sum + length, 0),
    );
    // Gemma's norms are stored less one.
    if (label.startsWith('Gemma'))
      for (const [name, values] of weights)
        if (name.endsWith('norm.weight'))
          weights.set(
            name,
            values.map((value) => value + 1),
          );
    return { label, out, logits: last(config, weights) };
  });
  const engine = await startEngine(t, { models: families.map(({ out }) => out) });
  for (const { label, out, logits } of families) await t.test(label, async (t) => compare(t, engine, out, logits));
}
