// Owns one induction: its threads, what they found so far, the stream of events, and rankings by its rules.
// Refuses to know stores and where facts come from.

import { randomBytes } from 'node:crypto';
import { Worker } from 'node:worker_threads';
import type { BaseName } from '../terms.ts';
import type { MineLimit, MineOptions, MineProgress } from './miner.ts';
import type { FromWorker, RankAnswer, RankQuestion, RuleBatch, ToWorker, WorkerSetup } from './protocol.ts';
import { RuleColumns, STRIDE } from './shape.ts';
import { InduceError } from './types.ts';
import type { InduceRequest, InductionEvent, InductionState, InductionStatus } from './types.ts';
import type { MinedRule, Words } from './words.ts';

export interface InductionPlan {
  readonly base: BaseName;
  readonly version: number;
  /** Facts beyond the limit were left out. */
  readonly cut: boolean;
  readonly options: Omit<MineOptions, 'clock' | 'relations'>;
  readonly relations: readonly number[];
  readonly threads: number;
  /** Of each thread; Node's own limit when absent. */
  readonly heapBytes?: number;
  readonly given: number;
  readonly examples: number;
  readonly confidenceBy: NonNullable<InduceRequest['confidenceBy']>;
}
interface Share {
  readonly worker: Worker;
  readonly relations: ReadonlySet<number>;
  progress: MineProgress;
  done: boolean;
}
const NOTHING: MineProgress = { phase: 'paths', length: 1, rules: 0, candidates: 0, measured: 0, ms: 0 };

/** Begins at once. `events` may be read by several, each from the beginning; `cancel` ends it for good. */
export class Induction {
  readonly id = `ind_${randomBytes(12).toString('base64url')}`;
  readonly words: Words;
  readonly #plan: InductionPlan;
  readonly #shares: Share[] = [];
  readonly #rankings = new Map<number, { readonly resolve: (answer: RankAnswer) => void; readonly reject: (error: Error) => void }>();
  #asked = 0;
  #status: InductionStatus = 'running';
  #error: Error | undefined;
  /** Why the threads are gone. */
  #released: Error | undefined;
  #complete = true;
  #limit: MineLimit | undefined;
  /** In order of finding. */
  readonly #found: MinedRule[] = [];
  #final: { readonly rule: MinedRule; readonly support: number }[] = [];
  #rules: readonly MinedRule[] = [];
  #wake = Promise.withResolvers<void>();
  readonly #ended = Promise.withResolvers<InductionState>();

  constructor(words: Words, plan: InductionPlan) {
    [this.words, this.#plan] = [words, plan];
    const columns = words.columns(plan.options.ranges);
    for (const relations of split(plan, columns.predicates)) {
      const setup: WorkerSetup = { columns, options: { ...plan.options, relations }, given: plan.given, examples: plan.examples };
      const worker = new Worker(new URL('./worker.ts', import.meta.url), {
        name: 'pharos-induction',
        workerData: setup,
        ...(plan.heapBytes === undefined ? {} : { resourceLimits: { maxOldGenerationSizeMb: Math.ceil(plan.heapBytes / 2 ** 20) } }),
      });
      const share: Share = { worker, relations: new Set(relations), progress: NOTHING, done: false };
      worker.on('message', (message: FromWorker) => this.#receive(share, message));
      worker.on('error', (error) => this.#fail(error instanceof Error ? error : new Error(String(error))));
      this.#shares.push(share);
    }
    if (this.#shares.length === 0) this.#end('completed');
  }

  /** No rule within the thresholds was missed, whether it is given out or not, and all were counted exactly. */
  get exhaustive(): boolean {
    return this.#status === 'completed' && this.#complete && !this.#plan.cut;
  }
  get state(): InductionState {
    const { base, version, cut } = this.#plan;
    const all = this.#shares.map(({ progress }) => progress);
    const sum = (field: 'rules' | 'candidates' | 'measured'): number => all.reduce((total, progress) => total + progress[field], 0);
    const progress: MineProgress = {
      ...(all.toSorted((a, b) => a.length - b.length)[0] ?? NOTHING),
      rules: sum('rules'),
      candidates: sum('candidates'),
      measured: sum('measured'),
      ms: Math.max(0, ...all.map(({ ms }) => ms)),
    };
    // More rules stood than are given out.
    const more = this.#status === 'completed' && progress.rules > this.#plan.given;
    const limit = cut ? 'facts' : (this.#limit ?? (more ? 'rules' : undefined));
    return {
      id: this.id,
      base,
      version,
      status: this.#status,
      facts: this.words.facts,
      progress,
      rules: this.#status === 'completed' ? this.#rules : this.#found,
      complete: this.exhaustive && !more,
      ...(limit === undefined ? {} : { limit }),
      ...(this.#error === undefined ? {} : { error: this.#error }),
    };
  }
  /** Resolves when it is completed, cancelled or failed. */
  ended(): Promise<InductionState> {
    return this.#ended.promise;
  }
  /** Rules as they are found and progress from time to time, the end last. Leaving early ends only the reading. */
  async *events(): AsyncGenerator<InductionEvent, void, void> {
    for (let told = 0; ;) {
      const wake = this.#wake.promise;
      for (; told < this.#found.length; told++) yield { kind: 'rule', rule: this.#found[told] };
      if (this.#status !== 'running') break;
      yield { kind: 'progress', state: this.state };
      await wake;
    }
    yield { kind: 'end', state: this.state };
  }
  /** Ends the mining, if it is at work, and frees the threads. */
  cancel(): void {
    this.#end('cancelled');
    this.#release(new InduceError('cancelled', `induction ${this.id} was ended; begin another one`));
  }
  /** A ranking by the rules of the thread that mined this relation. */
  async rank(question: RankQuestion): Promise<RankAnswer> {
    await this.#ended.promise;
    if (this.#error) throw this.#error;
    const share = this.#shares.find(({ relations }) => relations.has(question.step >> 1));
    if (!share || this.#status !== 'completed')
      throw new InduceError('invalid_request', `induction ${this.id} has no rules for this relation; begin one whose relations include it`);
    if (this.#released) throw this.#released;
    const id = this.#asked++;
    const answer = Promise.withResolvers<RankAnswer>();
    this.#rankings.set(id, answer);
    share.worker.ref();
    share.worker.postMessage({ kind: 'rank', id, question } satisfies ToWorker, []);
    return answer.promise;
  }

  #receive(share: Share, message: FromWorker): void {
    switch (message.kind) {
      case 'progress':
        share.progress = message.progress;
        this.#take(message.found, (rule) => {
          if (this.#found.length < this.#plan.given) this.#found.push(rule);
        });
        return this.#notify();
      case 'done': {
        [share.progress, share.done] = [message.progress, true];
        // A thread that only waits for rankings must not keep the process alive.
        share.worker.unref();
        this.#complete &&= message.complete;
        this.#limit ??= message.limit;
        this.#take(message.rules, (rule) => this.#final.push({ rule, support: rule.measures.support }));
        if (this.#shares.every(({ done }) => done)) this.#end('completed');
        return;
      }
      case 'ranked':
        share.worker.unref();
        this.#rankings.get(message.id)?.resolve(message.answer);
        this.#rankings.delete(message.id);
        return;
      default:
        message satisfies never;
    }
  }
  #take({ data, length, examples }: RuleBatch, put: (rule: MinedRule) => void): void {
    const rules = new RuleColumns(data, length);
    for (let i = 0; i < length; i++) put(this.words.mined(rules, i, this.#plan.confidenceBy, examples[i]));
  }
  #notify(): void {
    const { resolve } = this.#wake;
    this.#wake = Promise.withResolvers<void>();
    resolve();
  }
  #fail(cause: Error): void {
    this.#error =
      'code' in cause && cause.code === 'ERR_WORKER_OUT_OF_MEMORY'
        ? new InduceError('too_large', 'the induction needs more memory than a thread of it may have; let it read fewer facts', { cause })
        : new InduceError('failed', `the induction broke off: ${cause.message}`, { cause });
    this.#end('failed');
    this.#release(this.#error);
  }
  #end(status: InductionStatus): void {
    if (this.#status !== 'running') return;
    this.#status = status;
    if (status === 'completed') {
      const sorted = this.#final.toSorted((a, b) => b.rule.measures.confidence - a.rule.measures.confidence || b.support - a.support);
      const rules = new Map(sorted.map(({ rule }) => [rule.rule.id, rule]));
      this.#rules = [...rules.values()].slice(0, this.#plan.given);
      // What was found between the last report and the end was not told yet.
      const told = new Set(this.#found.map(({ rule }) => rule.id));
      for (const rule of this.#rules) if (!told.has(rule.rule.id) && this.#found.length < this.#plan.given) this.#found.push(rule);
    }
    this.#final = [];
    this.#notify();
    this.#ended.resolve(this.state);
  }
  #release(reason: Error): void {
    this.#released ??= reason;
    for (const { worker } of this.#shares) void worker.terminate();
    for (const { reject } of this.#rankings.values()) reject(reason);
    this.#rankings.clear();
  }
}

/** Relations of each thread: the richest go where least is. */
function split({ relations, threads, options }: InductionPlan, predicates: Int32Array): number[][] {
  const facts = new Map<number, number>(relations.map((relation) => [relation, 0]));
  for (const relation of predicates) if (facts.has(relation)) facts.set(relation, (facts.get(relation) ?? 0) + 1);
  const shares = Array.from({ length: Math.max(1, threads) }, () => ({ relations: [] as number[], facts: 0 }));
  for (const [relation, count] of [...facts].toSorted((a, b) => b[1] - a[1])) {
    if (count < options.thresholds.support) continue;
    const least = shares.toSorted((a, b) => a.facts - b.facts)[0];
    least.relations.push(relation);
    least.facts += count;
  }
  return shares.map((share) => share.relations).filter((list) => list.length > 0);
}
export const rowsOf = (data: Int32Array): RuleColumns => new RuleColumns(data, data.length / STRIDE);
