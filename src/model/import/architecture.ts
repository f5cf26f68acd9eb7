// Owns what is known of a checkpoint's model before its weights are read: which parameters it has, where they lie, how they become a graph.
// Refuses to know single families.

import { z } from 'zod';
import type { BuildOptions, Parameter } from '../decoder-parts.ts';
import { CheckpointError } from './checkpoint.ts';

export interface Architecture {
  /** As config.json calls it. */
  readonly type: string;
  readonly contextLength: number;
  readonly vocabularySize: number;
  readonly layers: number;
  /** Numbers that are remembered of each token. */
  readonly remembered: number;
  /** Of the graph. */
  readonly parameters: readonly Parameter[];
  /** Is a parameter one that `storage` is about? Others stay whole. */
  isStored(parameter: Parameter): boolean;
  /** Number of the layer that a parameter is in; undefined for those outside. */
  layerOf(name: string): number | undefined;
  /** Where a parameter lies in the checkpoint. */
  source(parameter: Parameter): { readonly name: string; readonly shape: readonly number[] };
  /** Makes of what lies there what the graph takes; undefined where it is that. */
  readonly adjust?: (parameter: Parameter) => ((values: Float32Array) => Float32Array) | undefined;
  /** The other way: makes of what the graph takes what lies in a checkpoint. */
  readonly restore?: (parameter: Parameter) => ((values: Float32Array) => Float32Array) | undefined;
  /** What the graph holds besides parameters and follows from the configuration: tables of angles, by their names in it. */
  readonly tables?: () => ReadonlyMap<string, Float32Array>;
  /** Tensors of the checkpoint that tell nothing new. */
  isNeedless(tensor: string): boolean;
  /** Of a tensor that tells nothing new only if it is the same as another: that one's name. */
  readonly copyOf?: (tensor: string) => string | undefined;
  /** Files of the model, in the order in which they are made: one, or an encoder and a decoder. */
  readonly graphs: readonly { readonly name: string; readonly build: (options: BuildOptions) => Uint8Array }[];
  /** What whoever brings it in should know: a line each. */
  readonly notes?: readonly string[];
}

/** What a configuration is read with. */
export interface Asked {
  /** Path of the configuration, for messages. */
  readonly file: string;
  /** Tokens of the longest text. Default: as many as the model was made for. */
  readonly context?: number;
  /** Keys and tensors that somebody has looked at and found to change nothing. */
  readonly ignore?: readonly string[];
}

/** Keys of config.json that say nothing of what is computed at inference. */
const SILENT: ReadonlySet<string> = new Set(
  `architectures model_type torch_dtype dtype transformers_version use_cache initializer_range attention_dropout bos_token_id eos_token_id pad_token_id unk_token_id sep_token_id decoder_start_token_id
  _name_or_path auto_map pretraining_tp tokenizer_class return_dict output_attentions output_hidden_states task_specific_params id2label label2id problem_type num_labels tie_encoder_decoder
  _attn_implementation _attn_implementation_autoset attn_implementation attn_pdrop embd_pdrop resid_pdrop hidden_dropout classifier_dropout use_bfloat16 torchscript num_parameters language_model
  gradient_checkpointing cache_implementation chunk_size_feed_forward is_decoder is_encoder_decoder finetuning_task license name_or_path model_name unsloth_fixed unsloth_version aux_loss_alpha
  seq_aux output_router_logits router_aux_loss_coef router_jitter_noise n_ctx summary_activation summary_first_dropout summary_proj_to_labels summary_type summary_use_proj reorder_and_upcast_attn ep_size
  dropout activation_dropout encoder_layerdrop decoder_layerdrop classif_dropout init_std forced_bos_token_id forced_eos_token_id force_bos_token_to_be_generated bad_words_ids num_beams
  max_length min_length early_stopping no_repeat_ngram_size length_penalty prefix`.split(/\s+/),
);

/** Reads config.json by a schema of the keys that are computed with. Any other key is refused by its name, for it may change what is computed. */
export function readKeys<T extends z.ZodObject>(value: unknown, schema: T, { file, ignore = [] }: Asked): z.infer<T> {
  const parsed = schema.loose().safeParse(value);
  if (!parsed.success)
    throw new CheckpointError(
      'checkpoint_invalid',
      `${file}: ${parsed.error.issues.map(({ path, message }) => `${path.join('.') || 'the whole file'}: ${message}`).join('; ')}`,
    );
  const known = new Set(Object.keys(schema.shape));
  const strange = Object.entries(parsed.data).find(([key, given]) => !known.has(key) && !SILENT.has(key) && given !== null && !ignore.includes(key));
  if (strange)
    throw new CheckpointError(
      'checkpoint_unsupported',
      `${file}: ${strange[0]} (${shorten(strange[1])}) is not known here, and may change what the model computes; if it does not, say --ignore ${strange[0]}`,
    );
  return parsed.data as z.infer<T>;
}
const shorten = (value: unknown): string => {
  const text = JSON.stringify(value) ?? '';
  return text.length > 60 ? `${text.slice(0, 57)}...` : text;
};
/** Refuses a value that the graph cannot do. */
export function refuse({ file }: Asked, key: string, value: unknown, right: string): never {
  throw new CheckpointError('checkpoint_unsupported', `${file}: ${key} is ${shorten(value)}; ${right}`);
}
/** Tokens of the longest text that is built for: positions have tables in the graph. */
export const MOST_CONTEXT = 2 ** 24;
/** The context that is asked for, or `most`. */
export function contextOf({ context, file }: Asked, most: number): number {
  if (context !== undefined && context > most)
    throw new CheckpointError('arguments_invalid', `--context ${context} is more than the ${most} tokens that ${file} was made for`);
  if (context === undefined && most > MOST_CONTEXT)
    throw new CheckpointError(
      'arguments_invalid',
      `${file} was made for texts of ${most} tokens, and at most ${MOST_CONTEXT} are built here; say --context with fewer`,
    );
  return context ?? most;
}
export const whole = z.int().positive();
/** Each has tensors of its own, which are listed before a weight is read; published models have a few hundred of either. */
const counted = (what: string) => {
  const most = 1024;
  return whole.max(most, { error: ({ input }) => `${String(input)} is more than ${most} ${what}, the most that are built here` });
};
export const layerCount = counted('layers');
export const expertCount = counted('experts');
