// Owns an encoder that is ready to run: its files, tokens and session together, and the work that embedding and scoring requests are.
// Refuses to know when the work is done, and threads.

import { EngineError } from '../port.ts';
import type { Device, EmbedRequest, ModelInfo, ScoreRequest } from '../port.ts';
import { planBatches } from './batch.ts';
import { dense, readDense } from './dense.ts';
import type { DenseLayer } from './dense.ts';
import { promptOf } from './files.ts';
import type { EncoderFiles } from './files.ts';
import { cosine, normalised, pool } from './pooling.ts';
import type { Pooling } from './pooling.ts';
import { EncoderSession } from './session.ts';
import { EncoderTokens } from './tokens.ts';
import type { Row } from './tokens.ts';

export interface EncoderOptions {
  readonly device: Device;
  readonly threads: number;
  /** Tokens of one pass at most, padding included; a longer text goes alone. */
  readonly passTokens: number;
  readonly note?: (message: string) => void;
}
/** What a request comes to. Serialisable. */
export type EncoderAnswer =
  /** `vectors`: one behind the other. */
  | { readonly kind: 'embed'; readonly vectors: Float32Array<ArrayBuffer>; readonly dimensions: number; readonly promptTokens: number }
  | { readonly kind: 'score'; readonly scores: readonly number[]; readonly promptTokens: number };

/** UTF-16 units that are cut into tokens in one step: others must not wait for a book to be read. */
const STEP_CHARACTERS = 65_536;
/** So many are cut in about the time in which a small model passes one token. */
const CHARACTERS = 64;
const POOLED = ['sentence_embedding'];
const PER_TOKEN = ['last_hidden_state', 'token_embeddings', 'hidden_states', 'output_0'];
const SCORES = ['logits', 'scores', 'score', 'output_0'];

interface Text {
  readonly characters: number;
  read(): Row;
}
export class EncoderWork {
  readonly #texts: readonly Text[];
  readonly #rows: Row[] = [];
  readonly #session: EncoderSession;
  readonly #passTokens: number;
  readonly #vector: (outputs: { readonly data: Float32Array; readonly longest: number; readonly shape: readonly number[] }, row: number, of: Row) => Float32Array;
  readonly #finish: (vectors: readonly Float32Array[], promptTokens: number) => EncoderAnswer;
  readonly #vectors: Float32Array[] = [];
  #batches: number[][] | undefined;
  #passes = 0;
  #done = 0;

  constructor(
    texts: readonly Text[],
    session: EncoderSession,
    passTokens: number,
    vector: (outputs: { readonly data: Float32Array; readonly longest: number; readonly shape: readonly number[] }, row: number, of: Row) => Float32Array,
    finish: (vectors: readonly Float32Array[], promptTokens: number) => EncoderAnswer,
  ) {
    this.#texts = texts;
    this.#session = session;
    this.#passTokens = passTokens;
    this.#vector = vector;
    this.#finish = finish;
  }

  /** Tokens that went through the model so far, and what cutting texts into tokens counts for beside them. */
  get done(): number {
    return this.#done;
  }
  /** Reads some texts, or does one pass. The answer after the last. Throws EngineError `context_length_exceeded` or `invalid_prompt` for a text, before any pass. */
  async step(): Promise<EncoderAnswer | undefined> {
    if (this.#rows.length < this.#texts.length) {
      for (let characters = 0; characters < STEP_CHARACTERS && this.#rows.length < this.#texts.length; ) {
        const text = this.#texts[this.#rows.length];
        this.#rows.push(text.read());
        characters += text.characters;
        this.#done += text.characters / CHARACTERS;
      }
      return undefined;
    }
    this.#batches ??= planBatches(this.#rows.map(({ ids }) => ids.length), this.#passTokens, this.#session.alone);
    const places = this.#batches[this.#passes++];
    for (const place of places) this.#done += this.#rows[place].ids.length;
    const outputs = await this.#session.run(places.map((place) => this.#rows[place]));
    for (const [row, place] of places.entries()) {
      const vector = this.#vector(outputs, row, this.#rows[place]);
      if (!vector.every(Number.isFinite)) throw new EngineError('failed', 'the model gave numbers that are not finite');
      this.#vectors[place] = vector;
    }
    if (this.#passes < this.#batches.length) return undefined;
    return this.#finish(this.#vectors, this.#rows.reduce((sum, { ids }) => sum + ids.length, 0));
  }
}

export class LoadedEncoder {
  readonly info: ModelInfo;
  readonly tokens: EncoderTokens;
  readonly #files: EncoderFiles;
  readonly #session: EncoderSession;
  readonly #poolings: readonly Pooling[];
  readonly #layers: readonly DenseLayer[];
  readonly #passTokens: number;

  private constructor(files: EncoderFiles, tokens: EncoderTokens, session: EncoderSession, layers: readonly DenseLayer[], { passTokens }: EncoderOptions) {
    this.#files = files;
    this.#session = session;
    this.#layers = layers;
    this.#passTokens = passTokens;
    this.tokens = tokens;
    this.#poolings = files.poolings ?? [files.presumed];
    this.info = { ...encoderInfo(files), device: session.device, loaded: true, ...(files.task === 'embed' ? { dimensions: this.#width } : {}) };
  }
  get #width(): number {
    return this.#layers.at(-1)?.to ?? this.#session.width * (this.#session.perToken ? this.#poolings.length : 1);
  }

  /** Throws EngineError `model_invalid` or `device_unavailable`. */
  static async load(files: EncoderFiles, options: EncoderOptions): Promise<LoadedEncoder> {
    const note = options.note && ((message: string): void => options.note?.(`model ${files.id}: ${message}`));
    const tokens = new EncoderTokens(files.tokenizer, files.tokenizerConfig, files.lowerCase);
    const outputs = files.task === 'score' ? SCORES : files.further.length > 0 ? POOLED : [...POOLED, ...PER_TOKEN, 'pooler_output'];
    const { onnx: file, vocabularySize, firstPosition } = files;
    const padId = files.padId ?? tokens.padId ?? 0;
    const session = await EncoderSession.open({ file, device: options.device, threads: options.threads, vocabularySize, padId, firstPosition, outputs, note });
    if (files.task === 'score' && (session.perToken || session.width !== 1)) {
      await session.close();
      throw new EngineError('model_invalid', `${file}: the output ${session.output} must be [batch, 1], one number for each pair of texts; it has ${session.width}`);
    }
    if (files.task === 'embed' && session.perToken && !files.poolings) note?.(`the folder does not say how to pool; ${files.presumed === 'mean' ? 'the mean of all tokens is taken' : 'the last token is taken'}. 1_Pooling/config.json would say it`);
    try {
      // A graph that gives one vector for a text has them inside.
      const layers = session.output === 'sentence_embedding' ? [] : await Promise.all(files.dense.map(readDense));
      let width = session.width * (session.perToken ? (files.poolings?.length ?? 1) : 1);
      for (const [i, { from, to }] of layers.entries()) {
        if (from !== width) throw new EngineError('model_invalid', `${files.dense[i]}: the layer takes ${from} numbers, and what comes before it gives ${width}`);
        width = to;
      }
      return new LoadedEncoder(files, tokens, session, layers, options);
    } catch (error) {
      await session.close();
      throw error;
    }
  }

  /** Vectors of texts. Throws EngineError `dimensions_invalid`, `unknown_prompt` or `invalid_prompt` for what the model cannot do. */
  embed(request: EmbedRequest): EncoderWork {
    const { id, poolsPrompt, normalise } = this.#files;
    const width = this.#width;
    if (this.#files.task !== 'embed') throw new EngineError('unknown_model', `model ${id} ranks texts and makes no vectors`);
    const { dimensions = width } = request;
    if (!Number.isInteger(dimensions) || dimensions < 1 || dimensions > width) throw new EngineError('dimensions_invalid', `model ${id} makes vectors of ${width} numbers; dimensions must be a whole number from 1 to ${width}, got ${dimensions}`);
    const prompt = promptOf(this.#files, { name: request.prompt, type: request.inputType });
    const several = request.inputs.length > 1;
    const texts = request.inputs.map((input, i) => this.#text(input, several ? `input[${i}]` : 'the input', request.truncate === true, prompt, !poolsPrompt));
    return new EncoderWork(texts, this.#session, this.#passTokens, (outputs, row, of) => this.#vector(outputs, row, of), (vectors, promptTokens) => {
      const all = new Float32Array(vectors.length * dimensions);
      for (const [i, vector] of vectors.entries()) {
        const cut = dimensions < width ? vector.slice(0, dimensions) : vector;
        all.set(normalise || dimensions < width ? normalised(cut) : cut, i * dimensions);
      }
      return { kind: 'embed', vectors: all, dimensions, promptTokens };
    });
  }

  /** How much each document has to do with the query: a cross-encoder's logit through the logistic function, in (0, 1); of an embedding model the cosine, in [-1, 1]. */
  score(request: ScoreRequest): EncoderWork {
    const { query, documents, truncate = false } = request;
    const { contextLength: limit } = this.#files;
    if (this.#files.task === 'score') {
      let first: readonly number[] | undefined;
      const texts = documents.map((text, i): Text => ({
        characters: text.length,
        read: () => {
          first ??= this.#checked(this.tokens.first(query, { limit, truncate, name: 'the query' }), 'the query');
          const name = `documents[${i}]`;
          return this.#checkedRow(this.tokens.pair(first, text, { limit, truncate, name }), name);
        },
      }));
      return new EncoderWork(texts, this.#session, this.#passTokens, ({ data }, row) => data.slice(row, row + 1), (logits, promptTokens) => ({ kind: 'score', scores: logits.map(([logit]) => 1 / (1 + Math.exp(-logit))), promptTokens }));
    }
    const prompts = (['query', 'document'] as const).map((type) => promptOf(this.#files, { type }));
    const texts = [query, ...documents].map((text, i) => this.#text(text, i === 0 ? 'the query' : `documents[${i - 1}]`, truncate, prompts[Math.min(i, 1)], !this.#files.poolsPrompt));
    return new EncoderWork(texts, this.#session, this.#passTokens, (outputs, row, of) => this.#vector(outputs, row, of), ([of, ...others], promptTokens) => ({ kind: 'score', scores: others.map((vector) => cosine(of, vector)), promptTokens }));
  }

  #text(input: string | readonly number[], name: string, truncate: boolean, prompt: string, skipPrompt: boolean): Text {
    const cutting = { limit: this.#files.contextLength, truncate, name };
    const read = (): Row => this.#checkedRow(typeof input === 'string' ? this.tokens.text(input, cutting, prompt, skipPrompt) : this.tokens.ids(input, cutting), name);
    return { characters: input.length, read };
  }
  #checkedRow(row: Row, name: string): Row {
    if (row.ids.length === 0) throw new EngineError('invalid_prompt', `${name} has no tokens; give at least one character`);
    this.#checked(row.ids, name);
    return row;
  }
  #checked(ids: readonly number[], name: string): readonly number[] {
    const { id, vocabularySize } = this.#files;
    const beyond = ids.find((token) => token >= vocabularySize);
    if (beyond !== undefined) throw new EngineError('invalid_prompt', `${name} has token ${beyond}, and model ${id} has a vocabulary of ${vocabularySize}; send the text itself, or ids of this model's tokenizer`);
    return ids;
  }
  #vector({ data, longest, shape }: { readonly data: Float32Array; readonly longest: number; readonly shape: readonly number[] }, row: number, { ids, skip }: Row): Float32Array {
    const width = shape[shape.length - 1];
    const pooled = this.#session.perToken ? pool({ data, longest, width }, row, ids.length, this.#poolings, skip) : data.slice(row * width, (row + 1) * width);
    return this.#layers.reduce((vector, layer) => dense(layer, vector), pooled);
  }

  async close(): Promise<void> {
    await this.#session.close();
  }
}

/** What is known of an encoder before it is loaded. */
export const encoderInfo = ({ id, task, contextLength, vocabularySize, created, dimensions, bytes }: EncoderFiles): Omit<ModelInfo, 'device'> => ({
  id,
  contextLength,
  vocabularySize,
  created,
  // An embedding model scores by the cosine.
  tasks: task === 'embed' ? ['embed', 'score'] : ['score'],
  ...(dimensions === undefined ? {} : { dimensions }),
  bytes,
});
