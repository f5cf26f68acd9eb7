// Owns which models are in memory: opened when first asked for, closed when others need the room or nobody has asked for long.
// Refuses to know how models run and what is asked of them.

import type { DescribedModel, OpenModel } from './described-model.ts';
import { placeless } from './diagnosis.ts';
import { freeBytes } from './memory.ts';
import { invalid } from './json-files.ts';
import { EngineError, unableTo } from '../port.ts';
import type { ChatPrompt, EngineLimits, ModelInfo, Task } from '../port.ts';

/** A model that stays open until it is given back. */
export interface Lease {
  readonly open: OpenModel;
  release(): void;
}
interface Entry {
  readonly described: DescribedModel;
  info: ModelInfo;
  open: OpenModel | undefined;
  opening: Promise<OpenModel> | undefined;
  /** Leases, and those who wait for one. */
  uses: number;
  /** When it was last given back. */
  last: number;
  failed: { readonly at: number; readonly error: EngineError } | undefined;
}
export interface PoolHooks {
  /** Told when a model was opened or closed. */
  readonly changed: (info: ModelInfo, why: string) => void;
  /** Told when a model could not be opened, with the places of its files, which those who ask for it do not hear. */
  readonly failed?: (message: string) => void;
  /** Bytes that a model needs at the moment for texts that run. Default: none. */
  readonly running?: (open: OpenModel) => number;
  /** Bytes of memory that can still be had. Default: those of the machine or its container. */
  readonly free?: () => number;
}
/** A model that could not be opened is not tried again before. */
const RETRY_MS = 10_000;

export class ModelPool {
  readonly #entries = new Map<string, Entry>();
  /** Taken out, and open until the last lease is given back. */
  readonly #retired = new Set<Entry>();
  readonly #limits: Pick<EngineLimits, 'modelBytes' | 'modelIdleMs'>;
  readonly #hooks: PoolHooks;
  readonly #timer: NodeJS.Timeout | undefined;
  /** Models are opened one after the other, so that each knows what room there is. */
  #turn: Promise<unknown> = Promise.resolve();
  #waiters: (() => void)[] = [];
  /** Somebody waits for room. */
  #pressed = false;
  #closed = false;

  constructor(limits: Pick<EngineLimits, 'modelBytes' | 'modelIdleMs'>, hooks: PoolHooks) {
    this.#limits = limits;
    this.#hooks = hooks;
    if (limits.modelIdleMs > 0) this.#timer = setInterval(() => void this.#sweep(), Math.max(20, Math.min(10_000, limits.modelIdleMs / 4))).unref();
  }

  has(id: string): boolean {
    return this.#entries.has(id);
  }
  /** Throws EngineError `model_invalid` for a model that is larger than all the room. */
  add(described: DescribedModel): void {
    const { id, bytes } = described.info;
    const { modelBytes } = this.#limits;
    if (modelBytes > 0 && bytes > modelBytes) throw invalid(`model ${id} has ${bytes} bytes of weights, and models may have ${modelBytes} in memory (PHAROS_MODEL_MEMORY)`);
    this.#entries.set(id, { described, info: described.info, open: undefined, opening: undefined, uses: 0, last: 0, failed: undefined });
  }
  remove(id: string): void {
    this.#entries.delete(id);
  }
  /** Takes a model out; it stays open for those who use it. Throws EngineError `unknown_model`. */
  async retire(id: string): Promise<void> {
    const entry = this.#entry(id);
    this.#entries.delete(id);
    this.#retired.add(entry);
    if (entry.uses === 0) await this.#closeRetired(entry);
  }
  infos(): readonly ModelInfo[] {
    return Array.from(this.#entries.values(), ({ info }) => info);
  }
  async count(id: string, what: string | ChatPrompt): Promise<number> {
    const { open, described } = this.#entry(id);
    if (!open || typeof what !== 'string') return described.count(what);
    return open.kind === 'decoder' ? open.model.tokenizer.encodePlain(what).length : open.model.tokens.count(what);
  }

  /** Its texts and tokens, without opening it. Throws EngineError `unknown_model`. */
  described(id: string): DescribedModel {
    return this.#entry(id).described;
  }

  /**
   * The model, opened if it is not. Waits while models that are in use leave no room. Throws EngineError `unknown_model` when there is none of that name or it cannot do the task, `model_unavailable` when it cannot
   * be opened, `aborted`, `closed`.
   */
  async use(id: string, task: Task, signal?: AbortSignal): Promise<Lease> {
    // Whoever waits for room comes first, or a model that is always in use would keep all others out.
    if (this.#pressed && this.#entry(id).open) await this.#turn;
    const entry = this.#entry(id);
    if (!entry.described.info.tasks.includes(task)) throw unableTo(task, entry.info, this.infos());
    if (signal?.aborted) throw new EngineError('aborted', 'the request was aborted while its model was waited for');
    entry.uses++;
    let given = false;
    const release = (): void => {
      if (given) return;
      given = true;
      entry.uses--;
      entry.last = performance.now();
      if (this.#retired.has(entry) && entry.uses === 0) void this.#closeRetired(entry);
      this.#wake();
    };
    signal?.addEventListener('abort', release, { once: true });
    try {
      const open = entry.open ?? (await (entry.opening ??= this.#openInTurn(entry)));
      if (signal?.aborted) throw new EngineError('aborted', 'the request was aborted while its model was loading');
      return { open, release };
    } catch (error) {
      release();
      throw error;
    } finally {
      signal?.removeEventListener('abort', release);
    }
  }

  /**
   * Keeps to the room when keys and values of texts have grown: what is remembered of ended texts is forgotten first, then models that nobody uses are closed. Texts that run have what they
   * need, and those who want another model wait for them.
   */
  fit(): void {
    const { modelBytes } = this.#limits;
    if (modelBytes === 0 || this.#closed) return;
    while (this.#held() > modelBytes) {
      if (this.#forgetOne()) continue;
      const idle = this.#longestIdle();
      if (!idle) return;
      void this.#close(idle, 'the texts of others need its memory');
    }
  }

  /** Closes all. Leases are void after it. */
  async close(): Promise<void> {
    this.#closed = true;
    clearInterval(this.#timer);
    this.#wake();
    await this.#turn;
    for (const entry of [...this.#entries.values(), ...this.#retired]) await this.#close(entry, 'the engine is closed');
    this.#entries.clear();
  }

  #entry(id: string): Entry {
    const entry = this.#entries.get(id);
    if (!entry) throw new EngineError('unknown_model', `model ${JSON.stringify(id)} is not loaded; there are: ${[...this.#entries.keys()].join(', ')}`);
    return entry;
  }
  #openInTurn(entry: Entry): Promise<OpenModel> {
    const opening = this.#turn
      .then(() => this.#open(entry))
      .finally(() => {
        entry.opening = undefined;
      });
    this.#turn = opening.catch(() => undefined);
    return opening;
  }
  async #open(entry: Entry): Promise<OpenModel> {
    const { id, bytes } = entry.described.info;
    if (entry.failed && performance.now() - entry.failed.at < RETRY_MS) throw entry.failed.error;
    await this.#makeRoom(entry, bytes);
    try {
      const open = await entry.described.open();
      entry.open = open;
      entry.failed = undefined;
      entry.info = { ...entry.described.info, ...open.model.info, tasks: entry.described.info.tasks, bytes, loaded: true };
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      this.#hooks.failed?.(`model ${id} cannot be loaded: ${reason}`);
      const failure = new EngineError('model_unavailable', `model ${id} cannot be loaded: ${await placeless(reason, entry.described.places)}`, { cause: error });
      entry.failed = { at: performance.now(), error: failure };
      throw failure;
    }
    this.#hooks.changed(entry.info, 'it was asked for');
    const { open } = entry;
    // Taken out while it was loading, and those who asked have left.
    if (this.#retired.has(entry) && entry.uses === 0) await this.#closeRetired(entry);
    return open;
  }
  get #opened(): Entry[] {
    return [...this.#entries.values(), ...this.#retired].filter(({ open }) => open);
  }
  /** Bytes of weights, and of keys and values. What ONNX Runtime takes besides them is not known: the process keeps memory that it gave back, and uses it for the next. */
  #held(): number {
    return this.#opened.reduce((sum, { open, described }) => sum + described.info.bytes + (open ? (this.#hooks.running?.(open) ?? 0) + rememberedBy(open) : 0), 0);
  }
  /** The longest ago used of those that remember ended texts forgets them. */
  #forgetOne(): boolean {
    const entry = this.#opened.filter(({ open }) => open && rememberedBy(open) > 0).toSorted((a, b) => a.last - b.last)[0];
    if (entry?.open?.kind !== 'decoder') return false;
    entry.open.model.forget();
    return true;
  }
  #longestIdle(): Entry | undefined {
    return this.#opened.filter(({ uses }) => uses === 0).toSorted((a, b) => a.last - b.last)[0];
  }
  /** Closes what was used longest ago, and waits where all is in use. Without a limit of its own the machine's memory is the limit: a system that has none left ends processes without asking. */
  async #makeRoom(entry: Entry, bytes: number): Promise<void> {
    const { id, device } = entry.described.info;
    const { modelBytes } = this.#limits;
    // What an accelerator holds is not in the memory that is looked at here.
    const measured = modelBytes === 0 && (device === 'cpu' || device === 'auto');
    /** What is free after one was closed, whether or not the system has it back yet. */
    let returned = 0;
    for (;;) {
      if (this.#closed) throw new EngineError('closed', 'the engine is closed');
      if (entry.uses === 0) throw new EngineError('aborted', 'nobody asks for the model any more');
      const held = this.#held();
      const free = measured ? Math.max(returned, (this.#hooks.free ?? freeBytes)()) : modelBytes === 0 ? Number.POSITIVE_INFINITY : modelBytes - held;
      if (bytes <= free) return;
      if (!measured && this.#forgetOne()) continue;
      if (measured && bytes > free + held)
        throw new EngineError(
          'model_unavailable',
          `model ${id} cannot be loaded: it has ${mebibytes(bytes)} of weights, and ${mebibytes(free)} of memory are free here${held > 0 ? `, ${mebibytes(held)} more without the models that are loaded` : ''}; end other programs, name smaller weights in PHAROS_MODELS (such as ${id.replace(/#.*/s, '')}#q4), or set PHAROS_MODEL_MEMORY, which is then kept to instead`,
        );
      const idle = this.#longestIdle();
      if (idle) {
        returned = free + idle.described.info.bytes;
        await this.#close(idle, `model ${id} needs its memory`);
      } else {
        returned = 0;
        this.#pressed = true;
        await new Promise<void>((resolve) => {
          this.#waiters.push(resolve);
        });
        this.#pressed = false;
      }
    }
  }
  async #sweep(): Promise<void> {
    const now = performance.now();
    for (const entry of this.#entries.values()) if (entry.open && entry.uses === 0 && now - entry.last >= this.#limits.modelIdleMs) await this.#close(entry, 'nobody asked for it');
  }
  async #closeRetired(entry: Entry): Promise<void> {
    await this.#close(entry, 'it was removed');
    this.#retired.delete(entry);
    this.#wake();
  }
  async #close(entry: Entry, why: string): Promise<void> {
    const { open } = entry;
    if (!open) return;
    entry.open = undefined;
    entry.info = entry.described.info;
    const failure = await open.model.close().then(() => '', (error: unknown) => ` (and that failed: ${error instanceof Error ? error.message : String(error)})`);
    this.#hooks.changed(entry.info, why + failure);
  }
  #wake(): void {
    for (const resolve of this.#waiters.splice(0)) resolve();
  }
}

const rememberedBy = ({ kind, model }: OpenModel): number => (kind === 'decoder' ? model.remembered : 0);
const mebibytes = (bytes: number): string => `${Math.round(bytes / 2 ** 20)} MiB`;
