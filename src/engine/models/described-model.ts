// Owns what a model folder comes to before it is opened: what it can do, how large it is, how it is opened, and what is said where it cannot be.
// Refuses to know which models are in memory, and how they run.

import { explain } from './diagnosis.ts';
import type { ModelPlaces } from './diagnosis.ts';
import { readEncoderFiles } from '../encoder/files.ts';
import { encoderInfo, LoadedEncoder } from '../encoder/encoder.ts';
import { LoadedModel } from '../decoder/loaded-model.ts';
import { readModelFiles, splitVariant, taskOf, weightBytes } from './model-files.ts';
import { EngineError } from '../port.ts';
import type { ChatPrompt, Device, Encoded, EncodedText, EngineLimits, ModelInfo, Task } from '../port.ts';
import { PromptCounter } from './prompt-counter.ts';
import { EncoderTokens } from '../encoder/tokens.ts';

export type OpenModel = { readonly kind: 'decoder'; readonly model: LoadedModel } | { readonly kind: 'encoder'; readonly model: LoadedEncoder };
/** A model on the disk whose folder was read and found whole. */
export interface DescribedModel {
  readonly info: ModelInfo & { readonly tasks: readonly Task[]; readonly bytes: number };
  readonly places: ModelPlaces;
  open(): Promise<OpenModel>;
  /** Tokens of a text or of a chat, without opening the model. Rejects with EngineError `invalid_prompt` for a chat where there are none. */
  count(what: string | ChatPrompt): Promise<number>;
  /** Ids of a text or a chat, likewise. */
  encode(what: EncodedText | ChatPrompt): Promise<Encoded>;
  /** Rejects with EngineError `invalid_prompt` for ids that the vocabulary has not, and of a model that writes no text. */
  decode(ids: readonly number[]): Promise<string>;
}
export interface OpeningOptions {
  readonly device: Device;
  readonly threads: number;
  readonly limits: EngineLimits;
  readonly note: (message: string) => void;
}

/** Reads what is in a model folder, all but the weights. Throws EngineError `model_invalid`. */
export async function describeModel(folder: string, options: OpeningOptions): Promise<DescribedModel> {
  return explained({ folder: splitVariant(folder).folder }, () => describe(folder, options));
}
async function describe(folder: string, { device, threads, limits, note }: OpeningOptions): Promise<DescribedModel> {
  const task = await taskOf(folder);
  if (task === 'generate') {
    const { id, onnx, source, contextLength, vocabularySize, parameters, created, grounded } = await readModelFiles(folder);
    const graphs = [onnx, source?.encoder, source?.opening].filter((path) => path !== undefined);
    const bytes = (await Promise.all(graphs.map(weightBytes))).reduce((sum, each) => sum + each, 0);
    let known: PromptCounter | undefined;
    const counter = async (): Promise<PromptCounter> => (known ??= new PromptCounter(await readModelFiles(folder)));
    const places: ModelPlaces = { folder: splitVariant(folder).folder, onnx, others: graphs.slice(1) };
    return {
      places,
      info: { id, tasks: ['generate'], contextLength, vocabularySize, parameters, created, grounded, device, loaded: false, bytes },
      open: async () => ({ kind: 'decoder', model: await explained(places, () => LoadedModel.load(folder, { device, threads, prefixBytes: limits.prefixBytes, note })) }),
      count: async (what) => (await counter()).count(what),
      encode: async (what) => (await counter()).encode(what),
      decode: async (ids) => (await counter()).decode(ids),
    };
  }
  const files = await readEncoderFiles(folder, task);
  const { bytes } = files;
  let known: EncoderTokens | undefined;
  const tokens = (): EncoderTokens => (known ??= new EncoderTokens(files.tokenizer, files.tokenizerConfig, files.lowerCase));
  const noChat = (): EngineError => new EngineError('invalid_prompt', `model ${files.id} cannot chat; give a text`);
  const places: ModelPlaces = { folder: splitVariant(folder).folder, onnx: files.onnx };
  return {
    places,
    info: { ...encoderInfo(files), tasks: task === 'embed' ? ['embed', 'score'] : ['score'], bytes, device, loaded: false },
    open: async () => ({ kind: 'encoder', model: await explained(places, () => LoadedEncoder.load(files, { device, threads, passTokens: limits.passTokens, note })) }),
    count: async (what) => {
      if (typeof what !== 'string') throw noChat();
      return tokens().count(what);
    },
    encode: async (what) => {
      if (what.kind === 'chat') throw noChat();
      return tokens().spelt(what.text, what.framed);
    },
    decode: async () => {
      throw new EngineError('invalid_prompt', `model ${files.id} reads texts and writes none: what its tokens were made of cannot be told`);
    },
  };
}

/** What cannot be loaded is said with what to do about it, and by the code that it has. */
async function explained<T>(places: ModelPlaces, load: () => Promise<T>): Promise<T> {
  try {
    return await load();
  } catch (error) {
    throw new EngineError(error instanceof EngineError ? error.code : 'model_invalid', await explain(error, places), { cause: error });
  }
}
