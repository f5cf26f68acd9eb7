// Owns the test that masks found ahead by another thread are those that would be found between passes, and that nothing depends on that thread.
// Refuses to know models: tokens are drawn out of those that are allowed.

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import type { Test } from 'tap';
import type { MasksAhead } from '../../src/engine/constraints/masks/ahead.ts';
import { MaskSlots } from '../../src/engine/constraints/masks/mask-slots.ts';
import { MaskThread } from '../../src/engine/constraints/thread/mask-thread.ts';
import type { Constraint, ConstraintVocabulary } from '../../src/engine/constraints/port.ts';
import { TokenSet } from '../../src/engine/constraints/tokens/token-set.ts';
import { TokenTrie } from '../../src/engine/constraints/tokens/token-trie.ts';
import { Batch } from '../../src/engine/decoder/batch.ts';
import type { PassCounts } from '../../src/engine/decoder/batch.ts';
import { PrefixCache } from '../../src/engine/decoder/prefix-cache.ts';
import { Runner } from '../../src/engine/decoder/runner.ts';
import { Sequence } from '../../src/engine/decoder/sequence.ts';
import { Sampler, SamplerScratch } from '../../src/engine/sampling/sampler.ts';
import { ModelTokenizer, tokenizerSchema } from '../../src/engine/text/tokenizer.ts';
import { compileConstraint } from '../../src/engine/constraints/constraint.ts';
import { seeded } from '../helpers/store-world.ts';
import { countOf, drawn, maskCases, PATTERNS, PERSON } from './masks-cases.ts';
import type { MaskCase, Random } from './masks-cases.ts';
import { FOLDER, until } from './world.ts';

const tokenizer = new ModelTokenizer(tokenizerSchema.parse(JSON.parse(readFileSync(join(FOLDER, 'tokenizer.json'), 'utf8'))));
const END = 1;
const bytesOf = (id: number): Uint8Array | undefined => (id === END ? undefined : tokenizer.bytesOf(id));
const trie = new TokenTrie(
  Array.from({ length: tokenizer.size }, (_, id) => id),
  bytesOf,
);
const vocabulary = (ahead?: MasksAhead): ConstraintVocabulary => ({
  trie: () => trie,
  size: tokenizer.size,
  ends: [END],
  encode: (text) => tokenizer.encodePlain(text),
  bytesOf,
  compiled: new Map(),
  ...(ahead ? { ahead: () => ahead } : {}),
});
const AHEAD = { trie, size: tokenizer.size, ends: [END] };

/** Opened masks that are waited for until they are there, and how many of them came. */
function patient(ahead: MasksAhead): { readonly ahead: MasksAhead; readonly taken: () => number } {
  let taken = 0;
  const take = (claim: Parameters<MasksAhead['take']>[0]): ReturnType<MasksAhead['take']> => {
    const masks = ahead.take(claim, 10_000);
    if (masks) taken++;
    return masks;
  };
  return { ahead: { ask: (grammar, places) => ahead.ask(grammar, places), take }, taken: () => taken };
}

interface Step {
  /** Sets as their bits, in texts that can be compared. */
  readonly allowed: string | undefined;
  readonly unlimited: string | undefined;
  /** Tokens that may come and are no ends, up to two. */
  readonly going: number;
  readonly complete: boolean;
  readonly token: number;
}
function named(set: TokenSet | undefined): string | undefined {
  const bits = new Uint32Array(Math.ceil(tokenizer.size / 32));
  for (const id of set?.ids ?? []) bits[id >>> 5] |= 1 << (id & 31);
  if (set?.bits) bits.set(set.bits);
  return set && Buffer.from(bits.buffer).toString('latin1');
}
/** A text drawn out of what is allowed, up to 40 tokens. */
function draw(constraint: Constraint, random: Random): Step[] {
  const steps: Step[] = [];
  while (steps.length < 40) {
    const allowed = constraint.allowed();
    const token = drawn(allowed, random) ?? END;
    const going = Math.min(2, countOf(allowed) - (allowed.has(END) ? 1 : 0));
    steps.push({ allowed: named(allowed), unlimited: named(constraint.unlimited?.()), complete: constraint.complete(), going, token });
    if (token === END) break;
    constraint.accept(token);
  }
  return steps;
}
/** The same text again, as a sequence asks for its masks: some of what comes is guessed, rightly or wrongly. Returns what differs. */
function follow(constraint: Constraint, steps: readonly Step[], random: Random): string[] {
  const wrong: string[] = [];
  for (const [i, { allowed, unlimited, complete, going, token }] of steps.entries()) {
    const next = constraint.next?.();
    if (next && named(next) !== allowed) wrong.push(`other tokens come next at ${i}`);
    if (constraint.next && !next && going < 2) wrong.push(`at ${i} two should come, and there are ${going}`);
    const coming = steps.slice(i, i + random.below(4)).map((step) => step.token);
    constraint.foresee?.(random.next() < 0.7 ? coming : [random.below(tokenizer.size)]);
    if (random.next() < 0.8) {
      const masks = constraint.allowed();
      if (named(masks) !== allowed) wrong.push(`at ${i} ${countOf(masks)} other tokens`);
      if (named(constraint.unlimited?.()) !== unlimited) wrong.push(`at ${i} other tokens without limits`);
      if (constraint.complete() !== complete) wrong.push(`at ${i} ${complete ? 'not ' : ''}complete`);
    }
    if (token !== END) constraint.accept(token);
  }
  return wrong;
}
/** All cases, each with a vocabulary of its own and one with masks ahead. Schemas that are refused are refused in both. */
function compare(t: Test, cases: readonly MaskCase[], ahead: MasksAhead, texts: number): number {
  let compared = 0;
  for (const [i, { name, make }] of cases.entries()) {
    const [plain, other] = [vocabulary(), vocabulary(ahead)];
    const random = seeded(100 + i);
    for (let text = 0; text < texts; text++) {
      let constraint: Constraint;
      try {
        constraint = make(plain);
      } catch (error) {
        t.throws(() => make(other), { message: (error as Error).message }, name);
        break;
      }
      const steps = draw(constraint, random);
      const wrong = follow(make(other), steps, random);
      if (wrong.length > 0) t.fail(`${name}: ${wrong.length} differences, first ${wrong[0]}`);
      compared += steps.length;
    }
  }
  return compared;
}

t.test(
  'masks found ahead are those found between passes: schemas at random, patterns, grammars, calls, choices, names, limits, with guesses right and wrong',
  async (t) => {
    const thread = new MaskThread();
    const open = thread.open(AHEAD);
    const { ahead, taken } = patient(open);
    const compared = compare(t, maskCases(seeded(51), 24), ahead, 2);
    t.ok(compared > 1200, `${compared} places`);
    t.ok(taken() > 300, `${taken()} masks came from the thread`);
    await open.close();
  },
);

t.test('whether the thread is soon enough or not, the masks are the same', async (t) => {
  const thread = new MaskThread();
  const open = thread.open(AHEAD);
  t.ok(compare(t, maskCases(seeded(52), 12), open, 1) > 200);
  await open.close();
});

t.test('that two tokens may come is said of limited texts only where they may, whether anybody answers or not', (t) => {
  const silent: MasksAhead = { ask: () => [], take: () => undefined };
  const patterns = [...PATTERNS, '(?:[^\\n]{5,}|x)', '(?:[a-z ]{3,}\\.)+', '.{4,}!', '(?:\\w+,)*\\w+', '[^\\n]* [a-z]{1,2}'];
  const random = seeded(57);
  const cases = patterns.flatMap((pattern) =>
    [{ characters: 14 + random.below(30) }, { words: 3 + random.below(8) }, { characters: 40, words: 6 }].map((limits): MaskCase => ({
      name: `${pattern} ${JSON.stringify(limits)}`,
      make: (words) => compileConstraint({ kind: 'regex', pattern }, words, limits),
    })),
  );
  t.ok(compare(t, cases, silent, 2) > 800);
  t.end();
});

/** What sequences under the constraints write side by side, and in which passes. */
async function written(
  runner: Runner,
  cases: readonly MaskCase[],
  guesses: number,
  ahead?: MasksAhead,
): Promise<{ readonly texts: readonly unknown[]; readonly passes: PassCounts }> {
  const words = vocabulary(ahead);
  const prompt = tokenizer.encodePlain('{"name": "Plato", "tags": ["Athens", "Athens"], "name": "Plato", "tags": ["Athens"');
  const scratch = new SamplerScratch(runner.logits);
  const sequences = cases.map(({ make }, seed) => {
    const sampler = new Sampler({ temperature: seed % 2, topP: 0.9, seed }, scratch, prompt);
    const describe = (): never => {
      throw new Error('no likelihood was asked for');
    };
    return new Sequence({
      runner,
      prefixes: new PrefixCache(0),
      prompt,
      limit: 30,
      ending: { own: new Set([END]), ends: new Set([END]), shown: new Set(), stops: [], stopShown: false, least: 0 },
      sampler,
      detokenizer: tokenizer.detokenizer(),
      constraint: make(words),
      describe,
      isSilent: () => false,
      tellsIds: false, likelihoods: { prompt: undefined, echo: undefined },
    });
  });
  const counts = { total: 0, sequences: 0, guessedTokens: 0, acceptedTokens: 0 };
  const batch = new Batch(runner, guesses, counts);
  const texts = new Map(sequences.map((sequence) => [sequence, { text: '', finish: '', error: '', tokens: 0 }]));
  for (let running = sequences; running.length > 0; running = running.filter((sequence) => !sequence.released))
    for await (const outcomes of batch.step(running, 64))
      for (const outcome of outcomes) {
        const whole = texts.get(outcome.sequence);
        if (!whole) throw new Error('a sequence that nobody began');
        if ('error' in outcome) whole.error = String(outcome.error);
        else [whole.text, whole.finish] = [whole.text + outcome.progress.text, outcome.progress.finish ?? ''];
        if (whole.error === '' && whole.finish === '') continue;
        whole.tokens = outcome.sequence.usage.completionTokens;
        batch.leave(outcome.sequence);
        outcome.sequence.release();
      }
  return { texts: [...texts.values()], passes: counts };
}

t.test('sequences write the same with masks ahead and without, in as many passes, with guesses and without', async (t) => {
  const runner = await Runner.open({ file: join(FOLDER, 'onnx/model.onnx'), device: 'cpu', threads: 1, contextLength: 512, vocabularySize: tokenizer.size });
  const thread = new MaskThread();
  const open = thread.open(AHEAD);
  const cases = maskCases(seeded(53), 0).filter(({ name }) => !['patterns', 'grammars'].includes(name));
  const { ahead, taken } = patient(open);
  const together = await written(runner, cases, 0);
  t.ok(together.texts.length > 8 && together.texts.every((each) => (each as { error: string }).error === ''));
  t.same(await written(runner, cases, 0, ahead), together, 'side by side, each mask waited for');
  t.same(await written(runner, cases, 0, open), together, 'side by side');
  let guessed = 0;
  for (const each of cases) {
    const alone = await written(runner, [each], 6);
    guessed += alone.passes.acceptedTokens;
    t.same(await written(runner, [each], 6, ahead), alone, `${each.name}, alone, each mask waited for`);
  }
  t.ok(guessed > 10, `${guessed} guessed tokens were right`);
  t.ok(taken() > 100, `${taken()} masks came from the thread`);
  await open.close();
  await runner.close();
});

t.test('what is found once for a vocabulary is found while nothing is asked, and questions on the way are answered as ever', async (t) => {
  const thread = new MaskThread();
  const idle = thread.open(AHEAD);
  await until(() => idle.prepared === 3);
  const asked = thread.open(AHEAD);
  const { ahead, taken } = patient(asked);
  t.ok(compare(t, maskCases(seeded(57), 4), ahead, 1) > 0);
  t.ok(taken() > 0);
  await until(() => asked.prepared === 3);
  t.ok(compare(t, maskCases(seeded(58), 4), patient(idle).ahead, 1) > 0);
  const left = thread.open(AHEAD);
  await left.close();
  await Promise.all([idle.close(), asked.close()]);
  t.equal(thread.threadId, 0);
});

t.test('where the thread breaks, that is told once, and all goes on without it', async (t) => {
  const thread = new MaskThread();
  const notes: string[] = [];
  const open = thread.open({ ...AHEAD, note: (message) => notes.push(message) });
  const begun = compileConstraint({ kind: 'schema', schema: PERSON }, vocabulary(open));
  begun.foresee?.([]);
  // No tree: the thread fails over it.
  thread.open({ ...AHEAD, trie: { parts: { ...trie.parts, twins: undefined } } as unknown as TokenTrie, note: (message) => notes.push(message) });
  await until(() => notes.length > 0);
  t.match(notes, [/^the thread that finds masks broke: .*; they are found between passes from now on$/]);
  t.equal(named(begun.allowed()), named(compileConstraint({ kind: 'schema', schema: PERSON }, vocabulary()).allowed()));
  t.ok(compare(t, maskCases(seeded(54), 10), open, 1) > 200);
  t.equal(thread.threadId, 0);
  t.equal(notes.length, 1);
  await open.close();
});

t.test(
  'texts that are left in the middle leave nothing behind: the thread keeps grammars alone, not more than it may, and ends with the last vocabulary',
  async (t) => {
    const thread = new MaskThread();
    const [open, beside] = [thread.open(AHEAD), thread.open(AHEAD)];
    t.ok(thread.threadId > 0);
    const words = vocabulary(open);
    for (let i = 0; i < 80; i++) {
      const constraint = compileConstraint({ kind: 'regex', pattern: `a{${i + 4}}b*` }, words);
      constraint.foresee?.([]);
      await until(() => open.waiting === 0);
    }
    t.equal(open.grammars, 32);
    // The first grammar is not kept any more, and is sent again.
    t.ok(compare(t, maskCases(seeded(55), 0).slice(0, 3), patient(open).ahead, 1) > 0);
    await open.close();
    await until(() => open.grammars === 0);
    t.ok(thread.threadId > 0, 'another vocabulary is open');
    await beside.close();
    t.equal(thread.threadId, 0);
    const again = thread.open(AHEAD);
    const { ahead, taken } = patient(again);
    t.ok(compare(t, maskCases(seeded(56), 0).slice(0, 3), ahead, 1) > 0);
    t.ok(taken() > 0);
    await again.close();
  },
);

t.test('a slot belongs to who asked for it until it is taken, taken back or overwritten; what is begun is never given to another', (t) => {
  const here = new MaskSlots(100);
  const there = new MaskSlots(100, here.memory);
  const masks = { allowed: TokenSet.ofBits(Uint32Array.of(1, 2, 3, 4)), unlimited: undefined };
  const claim = (): NonNullable<ReturnType<MaskSlots['claim']>> => {
    const given = here.claim();
    if (!given) throw new Error('no slot is free');
    return given;
  };
  const done = claim();
  t.ok(there.begin(done));
  t.notOk(there.begin(done), 'only once');
  t.equal(here.take(done, 0, 1), undefined, 'begun, and too slow');
  there.finish(done, masks);
  t.same(here.take(done, 0, 0)?.allowed.bits, masks.allowed.bits);

  const limited = claim();
  there.begin(limited);
  there.finish(limited, { allowed: masks.allowed, unlimited: TokenSet.ofBits(Uint32Array.of(5, 6, 7, 8)) });
  t.same(here.take(limited, 0, 0)?.unlimited?.bits, [5, 6, 7, 8]);

  const failed = claim();
  there.begin(failed);
  there.finish(failed, undefined);
  t.equal(here.take(failed, 0, 0), undefined);

  const back = claim();
  t.equal(here.take(back, 0, 1000), undefined, 'not begun: taken back');
  t.notOk(there.begin(back));

  const [stuck, left] = [claim(), claim()];
  there.begin(stuck);
  for (let i = 0; i < 200; i++) t.not(claim().slot, stuck.slot);
  t.notOk(there.begin(left), 'overwritten');
  t.equal(here.take(left, 0, 0), undefined);
  t.end();
});
