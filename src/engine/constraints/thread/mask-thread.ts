// Owns the thread that finds masks: started when a vocabulary first needs it, ended with the last one, done without where it breaks.
// Refuses to know how masks are found, and of which texts.

import { availableParallelism } from 'node:os';
import { Worker } from 'node:worker_threads';
import { LRUCache } from 'lru-cache';
import type { MasksAhead, Place } from '../masks/ahead.ts';
import type { Grammar } from '../grammar/expression.ts';
import { MaskSlots } from '../masks/mask-slots.ts';
import type { Claim, Masks } from '../masks/mask-slots.ts';
import { COUNTS_BYTES, GRAMMARS, MESSAGES, PREPARED } from './mask-messages.ts';
import type { ToMaskWorker } from './mask-messages.ts';
import type { TokenTrie } from '../tokens/token-trie.ts';

/** Vocabularies of fewer tokens have their masks sooner than another thread could be asked. */
const LARGE_VOCABULARY = 32_000;
/** Does another thread help with masks of so many tokens? */
export const paysAhead = (size: number): boolean => size >= LARGE_VOCABULARY && availableParallelism() > 1;
/** Grammars of a vocabulary that the thread keeps; those asked for last. */
const MOST_GRAMMARS = 32;
/** Messages that it has still to come to; then it is not asked. */
const MOST_WAITING = 64;
/** Waiting for a mask that is begun. A first look at a grammar of many characters takes as long. */
const MOST_WAIT_MS = 500;

export interface AheadOptions {
  readonly trie: TokenTrie;
  readonly size: number;
  readonly ends: readonly number[];
  /** Told once where the thread has ended by itself. */
  readonly note?: (message: string) => void;
}
export interface OpenMasks extends MasksAhead {
  /** Grammars that the thread keeps for this vocabulary, and messages that it has still to come to. */
  readonly grammars: number;
  readonly waiting: number;
  /** Parts of what is found once for the vocabulary that are done; they are done while nothing is asked. */
  readonly prepared: number;
  /** Resolves when the thread knows nothing of it any more. */
  close(): Promise<void>;
}

/** What a vocabulary needs of the thread. */
interface Post {
  readonly vocabulary: number;
  /** Has the thread broken? */
  broken(): boolean;
  send(message: ToMaskWorker): void;
  close(): Promise<void>;
}
class VocabularyMasks implements OpenMasks {
  readonly #post: Post;
  readonly #slots: MaskSlots;
  readonly #counts = new Int32Array(new SharedArrayBuffer(COUNTS_BYTES));
  readonly #known: LRUCache<object, number>;
  #sent = 0;
  #next = 0;

  constructor(post: Post, { trie, size, ends }: AheadOptions) {
    const { vocabulary } = post;
    this.#post = post;
    this.#slots = new MaskSlots(size);
    this.#known = new LRUCache({ max: MOST_GRAMMARS, dispose: (grammar) => this.#send({ kind: 'forget', vocabulary, grammar }) });
    post.send({ kind: 'open', vocabulary, trie: trie.parts, size, ends, slots: this.#slots.memory, counts: this.#counts });
  }
  get grammars(): number {
    return Atomics.load(this.#counts, GRAMMARS);
  }
  get waiting(): number {
    return this.#sent - Atomics.load(this.#counts, MESSAGES);
  }
  get prepared(): number {
    return Atomics.load(this.#counts, PREPARED);
  }
  ask(grammar: { readonly source: Grammar }, places: readonly Place[]): readonly (Claim | undefined)[] {
    if (this.#post.broken() || this.waiting > MOST_WAITING) return [];
    const claims = places.map(() => this.#slots.claim());
    const asked = places.flatMap((place, i): (readonly [Claim, Place])[] => {
      const claim = claims[i];
      return claim ? [[claim, place]] : [];
    });
    this.#send({ kind: 'ask', vocabulary: this.#post.vocabulary, grammar: this.#numberOf(grammar), places: asked });
    return claims;
  }
  take(claim: Claim, patienceMs: number): Masks | undefined {
    return this.#post.broken() ? undefined : this.#slots.take(claim, patienceMs, Math.max(patienceMs, MOST_WAIT_MS));
  }
  close(): Promise<void> {
    return this.#post.close();
  }
  #send(message: ToMaskWorker): void {
    this.#sent++;
    this.#post.send(message);
  }
  /** A grammar is sent when it is first asked for, and when it was forgotten since. */
  #numberOf(grammar: { readonly source: Grammar }): number {
    let number = this.#known.get(grammar);
    if (number === undefined) {
      this.#known.set(grammar, (number = ++this.#next));
      this.#send({ kind: 'grammar', vocabulary: this.#post.vocabulary, grammar: number, source: grammar.source });
    }
    return number;
  }
}

export class MaskThread {
  #worker: Worker | undefined;
  readonly #open = new Map<number, AheadOptions>();
  #broken = false;
  #next = 0;

  /** Of the thread that runs; 0 where none does. */
  get threadId(): number {
    return this.#worker?.threadId ?? 0;
  }
  /** Masks of a vocabulary, until it is closed. */
  open(options: AheadOptions): OpenMasks {
    const vocabulary = ++this.#next;
    this.#open.set(vocabulary, options);
    return new VocabularyMasks(
      { vocabulary, broken: () => this.#broken, send: (message) => this.#send(message), close: () => this.#close(vocabulary) },
      options,
    );
  }

  #send(message: ToMaskWorker): void {
    if (this.#broken) return;
    this.#worker ??= this.#start();
    this.#worker.postMessage(message, []);
  }
  #start(): Worker {
    const worker = new Worker(new URL('./mask-worker.ts', import.meta.url), { name: 'pharos-masks' });
    // It holds up nobody's end.
    worker.unref();
    const broke = (why: string): void => {
      if (this.#worker !== worker) return;
      this.#worker = undefined;
      this.#broken = true;
      const [first] = this.#open.values();
      first?.note?.(`the thread that finds masks ${why}; they are found between passes from now on`);
    };
    worker.on('error', (error) => broke(`broke: ${error instanceof Error ? error.message : String(error)}`));
    worker.on('exit', (code) => broke(`ended with code ${code}`));
    return worker;
  }
  async #close(vocabulary: number): Promise<void> {
    if (!this.#open.delete(vocabulary)) return;
    if (this.#open.size > 0) return this.#send({ kind: 'close', vocabulary });
    const worker = this.#worker;
    this.#worker = undefined;
    await worker?.terminate();
  }
}
/** Of this process's engine. */
export const maskThread = new MaskThread();
