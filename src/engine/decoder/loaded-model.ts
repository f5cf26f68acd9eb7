// Owns a model that is ready to run: its files, tokenizer, template and session together, and the making of sequences from requests.
// Refuses to know scheduling and threads.

import { randomUUID } from 'node:crypto';
import { setImmediate } from 'node:timers/promises';
import { ChatTemplate } from '../text/chat-template.ts';
import { LRUCache } from 'lru-cache';
import { beforeAnswer, behindThought, callGrammar } from '../constraints/calls.ts';
import { compileConstraint, constraintOf, grammarOf } from '../constraints/constraint.ts';
import type { Constraint, ConstraintVocabulary } from '../constraints/port.ts';
import { StagedConstraint } from '../constraints/staged.ts';
import { maskThread, paysAhead } from '../constraints/thread/mask-thread.ts';
import type { OpenMasks } from '../constraints/thread/mask-thread.ts';
import type { CompiledGrammar } from '../constraints/masks/masks.ts';
import { TokenTrie } from '../constraints/tokens/token-trie.ts';
import { Filling } from './filling.ts';
import { endingOf } from './ending.ts';
import { Bans } from '../encoder-decoder/bans.ts';
import { languagesOf, SourceReader } from '../encoder-decoder/source-text.ts';
import { SourceCache } from '../encoder-decoder/source.ts';
import { readModelFiles } from '../models/model-files.ts';
import type { ModelFiles } from '../models/model-files.ts';
import { EngineError } from '../port.ts';
import type { ChatPrompt, Device, GenerateRequest, ModelInfo, TokenLikelihood, Tool, ToolChoice } from '../port.ts';
import { PrefixCache } from './prefix-cache.ts';
import type { Certain } from '../replies/calls.ts';
import { formatOf, FormatReader, needsReader } from '../replies/format.ts';
import type { ReplyFormat, Thought } from '../replies/format.ts';
import { Marks, piecesOf } from '../replies/marks.ts';
import { Runner } from './runner.ts';
import { checkSampling } from '../sampling/check.ts';
import { Sampler, SamplerScratch } from '../sampling/sampler.ts';
import { Sequence } from './sequence.ts';
import { ModelTokenizer } from '../text/tokenizer.ts';
import type { Detokenizer } from '../text/tokenizer.ts';

/** Grammars that are kept ready. */
const GRAMMARS = 64;

export interface LoadOptions {
  readonly device: Device;
  readonly threads: number;
  readonly prefixBytes: number;
  readonly note?: (message: string) => void;
}

/** What a reply may call. */
interface Offer {
  readonly tools: readonly Tool[];
  readonly choice: Exclude<ToolChoice, 'none'>;
  readonly names: readonly string[];
  /** One call at most. */
  readonly single: boolean;
}
/** Throws EngineError `tools_invalid` for a choice that is not among the tools. */
function offerOf(prompt: GenerateRequest['prompt']): Offer | undefined {
  if (prompt.kind !== 'chat') return undefined;
  const { tools = [], toolChoice = 'auto', parallelToolCalls = true } = prompt;
  if (toolChoice === 'none' || (tools.length === 0 && toolChoice === 'auto')) return undefined;
  const names = tools.map(({ name }) => name);
  if (tools.length === 0) throw new EngineError('tools_invalid', 'a call is asked for and there are no tools; give some');
  if (typeof toolChoice === 'object' && !names.includes(toolChoice.name)) throw new EngineError('tools_invalid', `there is no function ${JSON.stringify(toolChoice.name)} among the tools; there are: ${names.join(', ')}`);
  return { tools, choice: toolChoice, names: typeof toolChoice === 'object' ? [toolChoice.name] : names, single: !parallelToolCalls || typeof toolChoice === 'object' };
}
/** With `auto` only calls of strict functions are kept to their form. */
const certainOf = ({ tools, choice }: Offer): Certain => (choice !== 'auto' ? 'reply' : tools.some(({ strict }) => strict === true) ? 'calls' : 'nothing');
/** All that a chat says. */
const textsOf = ({ messages, tools = [], toolChoice }: ChatPrompt): string[] => [
  ...messages.flatMap(({ content, reasoning = '', toolCalls = [] }) => [content, reasoning, ...toolCalls.flatMap((call) => [call.name, call.arguments])]),
  ...(toolChoice === 'none' ? [] : tools.map((tool) => JSON.stringify(tool))),
];

export class LoadedModel {
  readonly info: ModelInfo;
  readonly tokenizer: ModelTokenizer;
  readonly runner: Runner;
  readonly #files: ModelFiles;
  readonly #template: ChatTemplate | undefined;
  readonly #ends: ReadonlySet<number>;
  readonly #filling: Filling | undefined;
  readonly #scratch: SamplerScratch;
  readonly #prefixes: PrefixCache;
  /** Of a decoder beside an encoder: how requests are read, and the texts that are known. */
  readonly #side: { readonly reader: SourceReader; readonly texts: SourceCache } | undefined;
  readonly #marks: { readonly open: number; readonly close: number } | undefined;
  /** How replies to chats are written. */
  readonly #replies: ReplyFormat;
  #vocabulary: ConstraintVocabulary | undefined;
  readonly #note: LoadOptions['note'];
  /** Masks that are found while passes run. */
  #ahead: OpenMasks | undefined;

  private constructor(files: ModelFiles, runner: Runner, { prefixBytes, note }: Pick<LoadOptions, 'prefixBytes' | 'note'>) {
    this.#files = files;
    this.#note = note;
    this.runner = runner;
    this.tokenizer = new ModelTokenizer(files.tokenizer, files.tokenizerConfig);
    this.#template = files.chatTemplate === undefined ? undefined : new ChatTemplate(files.chatTemplate, files.namedTokens);
    this.#replies = formatOf(files.chatTemplate ?? '', files.replies);
    this.#ends = new Set([...files.endTokens, ...(files.source?.ends ?? [])]);
    this.#filling = Filling.of(this.tokenizer);
    this.#prefixes = new PrefixCache(runner.resident || files.source ? 0 : prefixBytes);
    this.#side = files.source && { reader: new SourceReader(files.source, this.tokenizer, files.tokenizer), texts: new SourceCache(prefixBytes) };
    this.#scratch = new SamplerScratch(runner.logits);
    this.#marks = files.grounded && { open: this.#mark(files.grounded.nameOpen), close: this.#mark(files.grounded.nameClose) };
    const { id, contextLength, vocabularySize, parameters, created, grounded } = files;
    this.info = { id, contextLength, vocabularySize, parameters, device: runner.device, created, grounded };
  }
  #mark(token: string): number {
    const id = this.tokenizer.idOf(token);
    if (id === undefined || !this.tokenizer.isSpecial(id)) throw new EngineError('model_invalid', `model ${this.#files.id}: pharos.json names the mark ${token}, which is no special token of tokenizer.json`);
    return id;
  }

  /** Throws EngineError `model_invalid` or `device_unavailable`. */
  static async load(folder: string, options: LoadOptions): Promise<LoadedModel> {
    const files = await readModelFiles(folder);
    const { contextLength, vocabularySize } = files;
    const note = options.note && ((message: string): void => options.note?.(`model ${files.id}: ${message}`));
    const runner = await Runner.open({ file: files.onnx, names: files.names, source: files.source, window: files.window, device: options.device, threads: options.threads, contextLength, vocabularySize, note });
    try {
      // Texts of other models take their steps between the parts.
      await setImmediate();
      const model = new LoadedModel(files, runner, { prefixBytes: options.prefixBytes, note });
      await setImmediate();
      // What masks of a large vocabulary need once is found on another thread, before the first text that wants it.
      model.#constraintVocabulary().ahead?.();
      return model;
    } catch (error) {
      await runner.close();
      throw error;
    }
  }

  /**
   * The request as a sequence that has not run yet. Throws EngineError `invalid_prompt`, `context_length_exceeded` or `constraint_unsatisfiable`.
   * A prompt of kind `text` is the whole prompt as it stands: special tokens in it keep their meaning; ids of kind `tokens` are taken as they are. Where an encoder reads it, the prompt is what it reads.
   */
  prepare(request: GenerateRequest): Sequence {
    const { sampling, maxTokens, echo = false } = request;
    const least = echo ? 0 : 1;
    if (!Number.isInteger(maxTokens) || maxTokens < least) throw new EngineError('invalid_prompt', `maxTokens must be a whole number of at least ${least}, got ${maxTokens}`);
    checkSampling(sampling);
    const { ids, thought, source } = this.#encode(request);
    const prompt = source || sampling.truncatePrompt === undefined ? ids : this.#truncated(ids, sampling.truncatePrompt, maxTokens);
    const read = source ?? prompt;
    const offer = offerOf(request.prompt);
    const marks = new Marks((text) => this.#special(text));
    const beyond = [...read, ...prompt].find((id) => id >= this.#files.vocabularySize);
    if (beyond !== undefined) throw new EngineError('invalid_prompt', `model ${this.#files.id} has a vocabulary of ${this.#files.vocabularySize}, ${request.prompt.kind === 'tokens' ? `and token ${beyond} of the prompt is none of it; ids go from 0 to ${this.#files.vocabularySize - 1}` : `and its tokenizer writes the prompt with token ${beyond} (${JSON.stringify(this.tokenizer.detokenizer().push(beyond))}); leave that text out`}`);
    if (read.length === 0) throw new EngineError('invalid_prompt', 'the prompt is empty; give at least one character');
    const room = this.#files.contextLength - prompt.length;
    if ((room < 1 && maxTokens > 0) || read.length > this.#files.contextLength) throw this.#tooLong(`${Math.max(read.length, prompt.length)} tokens`);
    const own = request.prompt.kind === 'text' && request.prompt.suffix !== undefined ? new Set([...this.#ends, ...(this.#filling?.ends ?? [])]) : this.#ends;
    const reads = request.prompt.kind === 'chat' && !echo && (offer !== undefined || needsReader(this.#replies));
    const ending = endingOf(request, own, reads);
    return new Sequence({
      runner: this.runner,
      prefixes: this.#prefixes,
      prompt,
      ...(source && this.#side && this.#files.source ? { source: { ids: source, texts: this.#side.texts }, bans: Bans.of(this.#files.source.bans, prompt, ending.ends) } : {}),
      limit: Math.min(maxTokens, room),
      ending,
      sampler: new Sampler(sampling, this.#scratch, prompt),
      describe: (token, likelihood) => ({ ...this.#likely(token, likelihood?.logprob), top: (likelihood?.top ?? []).map(([id, each]) => this.#likely(id, each)) }),
      isSilent: (token) => this.tokenizer.bytesOf(token) === undefined && sampling.specialTokens !== true,
      tellsIds: sampling.tokenIds === true,
      likelihoods: { prompt: sampling.promptLogprobs, echo: echo ? sampling.logprobs : undefined },
      ...(echo ? { echo: source && request.prompt.kind === 'text' ? request.prompt.text : this.tokenizer.textOfAll(read) } : {}),
      ...(reads
        ? { reader: new FormatReader({ format: this.#replies, marks, opened: thought === 'open', names: offer?.names ?? [], tools: offer?.tools ?? [], single: offer?.single ?? false, certain: offer ? certainOf(offer) : 'nothing', newId: () => `call_${randomUUID().replaceAll('-', '').slice(0, 24)}` }) }
        : {}),
      // A reader has given its marks signs by now.
      detokenizer: this.#detokenizer(request, marks.signs),
      constraint: this.#constraint(request, offer, thought),
      // Where the text has a form, the constraint keeps to its limits itself.
      ...(request.limits && (offer || !request.constraint) ? { limits: request.limits } : {}),
    });
  }
  #detokenizer({ prompt, sampling }: GenerateRequest, signs: ReadonlyMap<number, string>): Detokenizer {
    const shown = sampling.specialTokens === true ? new Map([...this.tokenizer.specials, ...signs]) : signs;
    const detokenizer = this.tokenizer.detokenizer(shown);
    return this.#side ? this.#side.reader.detokenizer(detokenizer, prompt) : detokenizer;
  }
  /** The end of a prompt. */
  #truncated(ids: readonly number[], asked: number, maxTokens: number): readonly number[] {
    const kept = asked === -1 ? this.#files.contextLength - maxTokens : asked;
    if (kept < 1) throw new EngineError('context_length_exceeded', `model ${this.#files.id} takes ${this.#files.contextLength} tokens for prompt and completion together, so that ${maxTokens} of completion leave none for the prompt; ask for fewer`);
    return ids.slice(-kept);
  }
  #special(text: string): number | undefined {
    const id = this.tokenizer.idOf(text);
    return id !== undefined && this.tokenizer.isSpecial(id) ? id : undefined;
  }
  /** What the reply must be: calls as they were asked for, or what the request says; either behind the model's thoughts. */
  #constraint({ prompt, constraint, limits }: GenerateRequest, offer: Offer | undefined, thought: Thought): Constraint | undefined {
    const special = (text: string): number | undefined => this.#special(text);
    const format = this.#replies;
    if (offer) {
      if (constraint) throw new EngineError('constraint_invalid', 'what the text must be cannot be asked for together with tools; leave one of them out');
      const { tools, choice, single } = offer;
      if (certainOf(offer) === 'nothing') return undefined;
      const asked = { format, tools, choice, parallel: !single, thought };
      try {
        return constraintOf(JSON.stringify(['calls', asked]), () => callGrammar(asked, special), this.#constraintVocabulary());
      } catch (error) {
        if (!(error instanceof EngineError) || error.code !== 'constraint_invalid') throw error;
        throw new EngineError('tools_invalid', `calls of these tools cannot be kept to their parameters: ${error.message}`, { cause: error });
      }
    }
    if (!constraint) return undefined;
    const vocabulary = this.#constraintVocabulary();
    if (constraint.kind === 'names' || thought === 'none' || !format.thinking) return compileConstraint(constraint, vocabulary, limits, this.#side?.reader.front(prompt));
    // That what is said can be within the limits is found without the thought in front of it.
    const said = limits && compileConstraint(constraint, vocabulary, limits);
    const before = beforeAnswer(format, thought, special);
    if (said && before) return new StagedConstraint(constraintOf(JSON.stringify(['before', thought]), () => before, vocabulary), said);
    // A mark begins with its special token, where it is more than one.
    const marks = { open: piecesOf(format.thinking.open, special)[0]?.id, close: special(format.thinking.close), opened: thought === 'open' };
    if (limits && marks.close === undefined) throw new EngineError('constraint_invalid', `model ${this.info.id} marks its thoughts with ordinary text, so that limits of a text of a certain form would count them; turn thinking off, or leave one of them out`);
    return constraintOf(JSON.stringify([thought, constraint]), () => behindThought(grammarOf(constraint, vocabulary), format, thought, special), vocabulary, limits && { limits, marks });
  }

  /** `source`: what an encoder reads; `ids` are then those that the decoder begins with. */
  #encode(request: GenerateRequest): { readonly ids: readonly number[]; readonly thought: Thought; readonly source?: readonly number[] } {
    const { prompt } = request;
    if (languagesOf(prompt) && !this.#side) throw new EngineError('invalid_prompt', `model ${this.#files.id} is not told of languages beside its prompt; say them in it`);
    if (prompt.kind === 'tokens' && !this.#side) return { ids: [...prompt.ids], thought: 'none' };
    const texts = this.#side ? [this.#side.reader.textOf(prompt) ?? ''] : prompt.kind === 'text' ? [prompt.text, prompt.suffix ?? ''] : prompt.kind === 'chat' ? textsOf(prompt) : [];
    const length = texts.reduce((sum, text) => sum + text.length, 0);
    // A token writes at least one UTF-16 unit per four of its bytes and at most one per byte, special tokens their whole name: such a text cannot fit, and is not worth cutting up.
    const longest = Math.max(this.tokenizer.longestToken, ...this.#files.tokenizer.added_tokens.map(({ content }) => content.length));
    if (length > this.#files.contextLength * longest && request.sampling.truncatePrompt === undefined) throw this.#tooLong(`${length} characters`);
    if (prompt.kind === 'text' && prompt.suffix !== undefined) {
      if (!this.#filling) throw new EngineError('filling_unsupported', `model ${this.#files.id} cannot fill in text between two others: its vocabulary has no marks for it; leave suffix out`);
      return { ids: this.#filling.prompt(prompt.text, prompt.suffix), thought: 'none' };
    }
    if (this.#side) return this.#sourceOf(request, this.#side.reader);
    if (prompt.kind === 'tokens') return { ids: [...prompt.ids], thought: 'none' };
    if (prompt.kind === 'text') return { ids: this.tokenizer.encodeTrusted(prompt.text), thought: 'none' };
    if (!this.#template) throw new EngineError('invalid_prompt', `model ${this.#files.id} has no chat template; use a text prompt`);
    return this.#template.encode(this.tokenizer, prompt, this.#replies);
  }
  #sourceOf({ prompt, sampling, echo }: GenerateRequest, reader: SourceReader): { readonly ids: readonly number[]; readonly thought: Thought; readonly source: readonly number[] } {
    if ((echo && sampling.logprobs !== undefined) || sampling.promptLogprobs !== undefined) throw new EngineError('invalid_prompt', `an encoder reads the prompts of model ${this.#files.id}, so that their tokens have no likelihood; leave ${sampling.promptLogprobs === undefined ? 'logprobs or echo' : 'prompt_logprobs'} out`);
    if (sampling.truncatePrompt !== undefined) throw new EngineError('invalid_prompt', `an encoder reads the prompts of model ${this.#files.id}, whole; leave truncate_prompt_tokens out`);
    if (offerOf(prompt)) throw new EngineError('tools_invalid', `model ${this.#files.id} rewrites texts and cannot be told of tools; leave them out`);
    const { source, begins } = reader.read(prompt);
    return { ids: begins, thought: 'none', source };
  }
  #likely(token: number, logprob: number | undefined): TokenLikelihood {
    const bytes = this.tokenizer.bytesOf(token) ?? Buffer.from(this.tokenizer.textOf(token), 'utf8');
    return { text: Buffer.from(bytes).toString('utf8'), bytes: [...bytes], logprob };
  }
  #tooLong(size: string): EngineError {
    if (this.#side) return new EngineError('context_length_exceeded', `the prompt has ${size}; model ${this.#files.id} reads texts of ${this.#files.contextLength} tokens at most, and writes as many`);
    return new EngineError('context_length_exceeded', `the prompt has ${size}; model ${this.#files.id} takes ${this.#files.contextLength} tokens for prompt and completion together, so at most ${this.#files.contextLength - 1} of prompt`);
  }

  /** Of a small vocabulary the tree is made when the first constraint comes. */
  #constraintVocabulary(): ConstraintVocabulary {
    const { tokenizer } = this;
    const size = Math.min(tokenizer.size, this.#files.vocabularySize);
    const ends = [...this.#ends];
    let known: TokenTrie | undefined;
    const trie = (): TokenTrie => (known ??= new TokenTrie(Array.from({ length: size }, (_, id) => id), (id) => (this.#ends.has(id) ? undefined : tokenizer.bytesOf(id))));
    return (this.#vocabulary ??= {
      trie,
      size,
      ends,
      nameMarks: this.#marks,
      encode: (text) => tokenizer.encodePlain(text),
      bytesOf: (id) => tokenizer.bytesOf(id),
      special: (text) => this.#special(text),
      compiled: new LRUCache<string, CompiledGrammar>({ max: GRAMMARS }),
      ...(paysAhead(size) ? { ahead: () => (this.#ahead ??= maskThread.open({ trie: trie(), size, ends, note: this.#note })) } : {}),
    });
  }

  /** Bytes that it keeps of texts that ended. */
  get remembered(): number {
    return this.#prefixes.bytes + (this.#side?.texts.bytes ?? 0);
  }
  /** They are read again when they are needed. */
  forget(): void {
    this.#prefixes.clear();
    this.#side?.texts.clear();
  }

  async close(): Promise<void> {
    this.forget();
    await this.#ahead?.close();
    await this.runner.close();
  }
}
