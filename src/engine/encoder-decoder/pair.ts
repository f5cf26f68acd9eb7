// Owns which files are the encoder and the decoder of a model, by their names: of one variant, those that are preferred first.
// Refuses to know where the files are and what is in them.

import { weightNames } from '../models/find-weights.ts';

export const ENCODERS = ['onnx/encoder_model', 'encoder_model'] as const;
export const DECODERS = ['onnx/decoder_model_merged', 'decoder_model_merged', 'onnx/decoder_model', 'decoder_model'] as const;

/** Names of graphs. */
export interface Pair {
  readonly encoder: string;
  /** The one that most passes go through. */
  readonly decoder: string;
  /** For the first pass of a text, where that is another one. */
  readonly opening?: string;
}
/** What is there of a pair. `has`: is there a file of this name? */
export function pairOf(variant: string | undefined, has: (name: string) => boolean): Partial<Pair> {
  const [encoder, decoder] = [ENCODERS, DECODERS].map((stems) => weightNames(variant, stems).find(has));
  // A decoder in two files: the one goes on where the other began.
  const behind = decoder?.replace(/decoder_model(?!_merged)/, 'decoder_with_past_model');
  const split = behind !== undefined && behind !== decoder && has(behind);
  return { ...(encoder === undefined ? {} : { encoder }), ...(split ? { decoder: behind, opening: decoder } : decoder === undefined ? {} : { decoder }) };
}
