// Owns the measurement of masks: what it costs the engine's thread, token by token, to know which tokens may come, at the vocabulary of Qwen 2.5 (151,936); found between passes, and while they run.
// Refuses to know models. The vocabulary is GPT-2's (50,257 tokens) and, up to 151,936, pairs of its tokens; tokens are drawn at random out of those allowed.
//
// There is no pass, and one thread does the work of both, one after the other, so that they do not compete: of what the other thread takes for a mask, what is longer than `pass` milliseconds
// counts as waited for. What else the machine does counts as little as it can: what takes longer than 20 ms is counted in processor time, and of several rounds the least is taken,
// token by token.

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { MessageChannel } from 'node:worker_threads';
import type { MasksAhead, Place } from '../../src/engine/constraints/masks/ahead.ts';
import { MaskFinder } from '../../src/engine/constraints/thread/mask-finder.ts';
import { MaskSlots } from '../../src/engine/constraints/masks/mask-slots.ts';
import type { Constraint, ConstraintVocabulary } from '../../src/engine/constraints/port.ts';
import { TokenTrie } from '../../src/engine/constraints/tokens/token-trie.ts';
import { ModelTokenizer, tokenizerSchema } from '../../src/engine/text/tokenizer.ts';
import { EngineError } from '../../src/engine/port.ts';
import { drawn, maskCases } from '../../test/engine/masks-cases.ts';
import { seeded } from '../../test/helpers/store-world.ts';
import { options, printMachine, printTable, quantile } from '../common/machine.ts';

const { outside, texts, tokens, schemas, repeats, pass, only } = options({
  outside: process.env.PHAROS_OUTSIDE ?? '',
  texts: 4,
  tokens: 40,
  schemas: 20,
  repeats: 3,
  pass: 12,
  only: '',
});
if (outside === '') throw new Error('give --outside, the folder in which weights/tiny-random-gpt2/tokenizer.json lies');
const SIZE = 151_936;
const END = 50_256;
const OWN = 50_000;
const tokenizer = new ModelTokenizer(tokenizerSchema.parse(JSON.parse(readFileSync(join(outside, 'weights/tiny-random-gpt2/tokenizer.json'), 'utf8'))));
const bytesOf = (id: number): Uint8Array | undefined =>
  id === END
    ? undefined
    : id < tokenizer.size
      ? tokenizer.bytesOf(id)
      : Buffer.concat([tokenizer.bytesOf(id % OWN) ?? Buffer.from(' '), tokenizer.bytesOf((id * 7) % OWN) ?? Buffer.from(' ')]);

interface Costs {
  readonly ready: number[];
  readonly first: number[];
  readonly later: number[];
}
/** Below, time is taken by the clock: processor time comes in ticks. */
const COARSE_MS = 20;
function timeOf<T>(work: () => T): readonly [result: T, ms: number] {
  const before = process.threadCpuUsage();
  const at = performance.now();
  const result = work();
  const taken = performance.now() - at;
  const { user, system } = process.threadCpuUsage(before);
  return [result, taken < COARSE_MS ? taken : Math.min(taken, (user + system) / 1000)];
}

/** As the other thread, but when it is asked for what it found; `spent`: milliseconds that it took since that was last set to 0. Messages to it are written, and nobody reads them. */
class OtherThread implements MasksAhead {
  readonly #finder: MaskFinder;
  readonly #slots = new MaskSlots(SIZE);
  readonly #channel = new MessageChannel();
  readonly #grammars = new Map<object, number>();
  readonly #asked = new Map<number, readonly [grammar: number, place: Place]>();
  spent = 0;

  constructor(trie: TokenTrie) {
    this.#finder = new MaskFinder(trie.parts, SIZE, [END]);
  }
  ask(...[grammar, places]: Parameters<MasksAhead['ask']>): ReturnType<MasksAhead['ask']> {
    let number = this.#grammars.get(grammar);
    if (number === undefined) {
      this.#channel.port1.postMessage(grammar.source);
      const added = this.#grammars.size;
      number = added;
      this.#grammars.set(grammar, added);
      this.spent += timeOf(() => this.#finder.keep(added, grammar.source))[1];
    }
    const claims = places.map(() => this.#slots.claim());
    this.#channel.port1.postMessage(places.map((place, i) => [claims[i], place]));
    for (const [i, claim] of claims.entries()) if (claim) this.#asked.set(claim.turn, [number, places[i]]);
    return claims;
  }
  take(claim: Parameters<MasksAhead['take']>[0]): ReturnType<MasksAhead['take']> {
    const asked = this.#asked.get(claim.turn);
    if (!asked) return undefined;
    this.#asked.delete(claim.turn);
    this.spent += timeOf(() => {
      this.#slots.begin(claim);
      this.#slots.finish(claim, this.#finder.masksAt(...asked));
    })[1];
    return this.#slots.take(claim, 0, 0);
  }
  close(): void {
    this.#channel.port1.close();
  }
}

/** Milliseconds that each token takes on the engine's thread, besides the pass. */
function write(constraint: Constraint, other: OtherThread | undefined, costs: number[]): void {
  const random = seeded(costs.length);
  let [own, before] = [0, 0];
  const timed = <T>(work: () => T): T => {
    const spent = other?.spent ?? 0;
    const [result, ms] = timeOf(work);
    own += Math.max(0, ms - ((other?.spent ?? 0) - spent));
    return result;
  };
  for (let n = 0; n < tokens; n++) {
    if (other) other.spent = 0;
    const passes = other !== undefined && (n === 0 || timed(() => constraint.next?.()) === undefined);
    // What is needed before the pass is waited for whole.
    if (other) [before, other.spent] = [other.spent, 0];
    if (passes) timed(() => constraint.foresee?.([]));
    const allowed = timed(() => constraint.allowed());
    timed(() => constraint.unlimited?.());
    const token = drawn(allowed, random) ?? END;
    if (token !== END) timed(() => constraint.accept(token));
    costs.push(own + before + (passes ? Math.max(0, other.spent - pass) : (other?.spent ?? 0)));
    if (token === END) return;
    [own, before] = [0, 0];
  }
}
const tree = new TokenTrie(
  Array.from({ length: SIZE }, (_, id) => id),
  bytesOf,
).parts;
function measure(overlap: boolean): Map<string, Costs> {
  // A new one: what is found once for a vocabulary is kept by its tree.
  const trie = TokenTrie.of(tree);
  const found = new Map<string, Costs>();
  const other = overlap ? new OtherThread(trie) : undefined;
  for (const { name, make } of maskCases(seeded(1), schemas).filter((each) => each.name.includes(only))) {
    const vocabulary: ConstraintVocabulary = {
      trie: () => trie,
      size: SIZE,
      ends: [END],
      encode: (text) => tokenizer.encodePlain(text),
      bytesOf,
      compiled: new Map(),
      ...(other ? { ahead: () => other } : {}),
    };
    const costs = found.get(name) ?? { ready: [], first: [], later: [] };
    found.set(name, costs);
    try {
      for (let i = 0; i < texts; i++) {
        const [constraint, ms] = timeOf(() => make(vocabulary));
        costs.ready.push(ms);
        write(constraint, other, i === 0 ? costs.first : costs.later);
      }
    } catch (error) {
      if (!(error instanceof EngineError) || error.code !== 'constraint_invalid') throw error;
    }
  }
  other?.close();
  return found;
}
const mean = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0) / Math.max(1, values.length);

await printMachine([]);
for (const overlap of [false, true]) {
  const rounds: Map<string, Costs>[] = [];
  for (let i = 0; i < repeats; i++) rounds.push(measure(overlap));
  /** What each token took in the round in which it took least. */
  const least = (name: string, which: keyof Costs): number[] =>
    (rounds[0].get(name)?.[which] ?? []).map((_, i) => Math.min(...rounds.map((round) => round.get(name)?.[which][i] ?? Infinity)));
  console.log(overlap ? `found while passes of ${pass} ms run\n` : 'found between passes\n');
  printTable(
    ['constraint', 'ready, ms', 'first text, mean ms', 'most', 'later texts, mean ms', 'p99', 'most later', `mean of a step of ${pass} ms, %`],
    [...rounds[0].keys()].map((name) => {
      const [ready, first, later] = [least(name, 'ready'), least(name, 'first'), least(name, 'later')];
      return [
        name,
        Math.max(...ready),
        mean(first),
        Math.max(...first),
        mean(later),
        quantile(later, 0.99),
        Math.max(...later),
        (100 * mean([...first, ...later])) / pass,
      ];
    }),
  );
}
