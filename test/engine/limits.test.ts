// Owns that a text never exceeds its limits of words and characters, ends with whole words, and says truthfully whether they shortened it.
// Refuses to know HTTP.

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Ajv2020 } from 'ajv/dist/2020.js';
import t from 'tap';
import { behindThought } from '../../src/engine/constraints/calls.ts';
import { compileConstraint, constraintOf, grammarOf } from '../../src/engine/constraints/constraint.ts';
import type { ConstraintVocabulary } from '../../src/engine/constraints/port.ts';
import type { Grammar } from '../../src/engine/constraints/grammar/expression.ts';
import { limitEvents } from '../../src/engine/constraints/limits/limited-events.ts';
import { Limiter } from '../../src/engine/constraints/limits/limiter.ts';
import { countCharacters, countWords, isWithin } from '../../src/engine/constraints/lengths/text-length.ts';
import { TokenTrie } from '../../src/engine/constraints/tokens/token-trie.ts';
import type { ConstraintSpec, GenerateEvent, TextLimits } from '../../src/engine/port.ts';
import type { ReplyFormat } from '../../src/engine/replies/format.ts';
import { ModelTokenizer, tokenizerSchema } from '../../src/engine/text/tokenizer.ts';
import { seeded } from '../helpers/store-world.ts';
import { ask, collect, failure, FOLDER, startEngine, wild } from './world.ts';

t.test('words and characters are counted in all scripts, and never fewer words than the Unicode standard finds', (t) => {
  for (const [text, words, characters] of [
    ["I can't pay 3.14 or 1,000.", 6, 26],
    ['  two   words ', 2, 14],
    ['中国的首都是北京。', 8, 9],
    ['Bevölkerung: 83 Mio.', 3, 20],
    ['한국어 문장', 2, 6],
    ['👍🏽 ok', 1, 5],
    ['', 0, 0],
  ] as const)
    t.same([countWords(text), countCharacters(text)], [words, characters], text);
  const random = seeded(41);
  const signs = [...'abcXYZ 12 \',.;:’_-—()"!?éüß中文词语，。、々〇ァカひらกข한국어\u0301\u200d🙂½אבー·𠀀'];
  const segmenters = ['en', 'zh', 'ja', 'th'].map((language) => new Intl.Segmenter(language, { granularity: 'word' }));
  for (let i = 0; i < 3000; i++) {
    const text = Array.from({ length: 1 + random.below(8) }, () => random.pick(signs)).join('');
    for (const segmenter of segmenters) {
      const standard = [...segmenter.segment(text)].filter(({ isWordLike }) => isWordLike).length;
      if (standard > countWords(text)) t.fail(`${JSON.stringify(text)}: ${countWords(text)} words, by the standard ${standard}`);
    }
  }
  t.end();
});

/** The text as it comes out, in pieces of up to three characters; nothing that is shown is taken back. */
function limited(text: string, limits: TextLimits): { readonly text: string; readonly full: boolean; readonly cut: boolean } {
  const limiter = new Limiter(limits);
  let shown = '';
  for (const [piece] of text.matchAll(/[^]{1,3}/gu)) shown += limiter.push(piece);
  return { text: shown + limiter.end(), full: limiter.full, cut: limiter.cut };
}

t.test('a text that is too long is cut behind its last whole sentence, or where that is too early, its last whole word', (t) => {
  const life = 'Albert Einstein was born in Ulm. He lived in Princeton and died there. He was a physicist.';
  for (const [text, limits, left] of [
    [life, { words: 10 }, 'Albert Einstein was born in Ulm.'],
    [life, { characters: 40 }, 'Albert Einstein was born in Ulm.'],
    [life, { characters: 32 }, 'Albert Einstein was born in Ulm.'],
    [life, { characters: 20 }, 'Albert Einstein was'],
    [life, { words: 4 }, 'Albert Einstein was born'],
    ['阿尔伯特·爱因斯坦出生于乌尔姆。他住在普林斯顿，“很好。”他是物理学家。', { words: 20 }, '阿尔伯特·爱因斯坦出生于乌尔姆。'],
    ['他住在普林斯顿，“很好。”他是物理学家。', { characters: 14 }, '他住在普林斯顿，“很好。”'],
    ['阿尔伯特·爱因斯坦出生于乌尔姆。', { characters: 10 }, '阿尔伯特·爱因斯坦出'],
    ['one two\nthree four', { words: 3 }, 'one two'],
    ["Abc don't", { characters: 8 }, 'Abc'],
    ['Supercalifragilistic', { characters: 8 }, ''],
  ] as const)
    t.same(limited(text, limits), { text: left, full: true, cut: true }, `${JSON.stringify(limits)} ${text}`);
  t.same(limited(life, { words: 18, characters: 92 }), { text: life, full: false, cut: false }, 'what fits is left alone');
  t.end();
});

t.test('a line that is too long loses its end, and the text goes on with the next', (t) => {
  t.same(limited('- one two three four\n- five six\n- seven eight nine ten', { lineWords: 3 }), {
    text: '- one two three\n- five six\n- seven eight nine',
    full: false,
    cut: true,
  });
  t.same(
    limited('- one two three four\n- five six\n- seven', { lineWords: 3, words: 5 }),
    { text: '- one two three\n- five six', full: true, cut: true },
    'what was left out of a line does not count',
  );
  t.same(limited('一二三四五\n六七', { lineCharacters: 3 }), { text: '一二三\n六七', full: false, cut: true });
  t.end();
});

t.test('whatever is written, a limited text is within its limits and the beginning of what was written', (t) => {
  const random = seeded(42);
  const signs = [...'ab cd.!? \n,;"\'()中文。！é\u030112-'];
  for (let i = 0; i < 2000; i++) {
    const text = Array.from({ length: random.below(60) }, () => random.pick(signs)).join('');
    const limits = {
      ...(random.next() < 0.5 ? { words: 1 + random.below(12) } : {}),
      ...(random.next() < 0.5 ? { characters: 1 + random.below(40) } : {}),
      ...(random.next() < 0.3 ? { lineWords: 1 + random.below(4) } : {}),
      ...(random.next() < 0.3 ? { lineCharacters: 1 + random.below(9) } : {}),
    };
    const { text: left, cut } = limited(text, limits);
    if (!isWithin(left, limits)) t.fail(`${JSON.stringify(text)} ${JSON.stringify(limits)} gave ${JSON.stringify(left)}`);
    if (!cut) t.equal(left, text);
    else if (limits.lineWords === undefined && limits.lineCharacters === undefined && !text.startsWith(left))
      t.fail(`${JSON.stringify(left)} is no beginning of ${JSON.stringify(text)}`);
    if (isWithin(text, limits) && cut) t.fail(`${JSON.stringify(text)} fits ${JSON.stringify(limits)} and was cut to ${JSON.stringify(left)}`);
  }
  t.end();
});

const tokenizer = new ModelTokenizer(tokenizerSchema.parse(JSON.parse(readFileSync(join(FOLDER, 'tokenizer.json'), 'utf8'))));
const END = 1;
const bytesOf = (id: number): Uint8Array | undefined => tokenizer.bytesOf(id);
const trie = new TokenTrie(
  Array.from({ length: tokenizer.size }, (_, id) => id),
  bytesOf,
);
const vocabulary: ConstraintVocabulary = {
  trie: () => trie,
  size: tokenizer.size,
  ends: [END],
  encode: (text) => tokenizer.encodePlain(text),
  bytesOf,
  compiled: new Map(),
};
const CLOSING = new Set(Array.from({ length: tokenizer.size }, (_, id) => id).filter((id) => /^["\]}]/.test(Buffer.from(bytesOf(id) ?? []).toString())));
/** A text drawn token by token; what closes something, and the end, come one time in eight, and else only when they must. */
function draw(spec: ConstraintSpec, limits: TextLimits, random: ReturnType<typeof seeded>): string {
  const constraint = compileConstraint(spec, vocabulary, limits);
  const written: Uint8Array[] = [];
  for (let i = 0; i < 1000; i++) {
    const { bits, ids: listed } = constraint.allowed();
    const ids = listed ? [...listed] : [];
    for (let word = 0; word < (bits?.length ?? 0); word++)
      for (let rest = bits?.[word] ?? 0; rest !== 0; rest &= rest - 1) ids.push(word * 32 + 31 - Math.clz32(rest & -rest));
    const going = ids.filter((id) => id !== END);
    if (going.length === 0 && !ids.includes(END)) throw new Error(`nothing may follow ${JSON.stringify(Buffer.concat(written).toString())}`);
    if (going.length === 0) return Buffer.concat(written).toString();
    const closing = ids.filter((id) => id === END || CLOSING.has(id));
    const token = closing.length > 0 && random.next() < 0.125 ? random.pick(closing) : random.pick(going);
    if (token === END) return Buffer.concat(written).toString();
    written.push(bytesOf(token) ?? new Uint8Array());
    constraint.accept(token);
  }
  throw new Error('the text does not end');
}
const person = {
  type: 'object',
  properties: {
    name: { type: 'string', minLength: 2, maxLength: 30 },
    note: { type: 'string' },
    tags: { type: 'array', items: { type: 'string' }, minItems: 2 },
  },
  required: ['name', 'note', 'tags'],
  additionalProperties: false,
};

t.test('a text of a form is completed within its limits, however it is drawn', (t) => {
  const random = seeded(43);
  const valid = new Ajv2020({ strict: false }).compile(person);
  for (const limits of [{ characters: 44 }, { characters: 60 }, { characters: 200 }, { words: 3 }, { words: 20 }, { characters: 90, words: 8 }])
    for (let i = 0; i < 6; i++) {
      const text = draw({ kind: 'schema', schema: person }, limits, random);
      if (!isWithin(text, limits)) t.fail(`${JSON.stringify(limits)}: ${text}`);
      t.ok(valid(JSON.parse(text)), text);
    }
  for (const [pattern, limits] of [
    ['.*', { characters: 12 }],
    ['(?:[a-z]{2,9} ){3,}end', { characters: 24 }],
    ['[^\\n]{20,}!', { characters: 25 }],
    ['(?:\\w+,)*\\w+', { words: 4 }],
    ['[一-龥]{2,}', { words: 5 }],
  ] as const)
    for (let i = 0; i < 12; i++) {
      const text = draw({ kind: 'regex', pattern }, limits, random);
      if (!isWithin(text, limits) || !new RegExp(`^(?:${pattern})$`, 'u').test(text)) t.fail(`${pattern} ${JSON.stringify(limits)}: ${JSON.stringify(text)}`);
    }
  for (let i = 0; i < 10; i++) {
    const text = draw({ kind: 'json' }, { characters: 30 }, random);
    t.type(JSON.parse(text), 'object', text);
    if (!isWithin(text, { characters: 30 })) t.fail(text);
  }
  t.end();
});

t.test('a form that no text within the limits has is refused, and what would be enough is said', (t) => {
  const refused = (spec: ConstraintSpec, limits: TextLimits, message: RegExp): void =>
    void t.throws(() => compileConstraint(spec, vocabulary, limits), { code: 'constraint_invalid', message });
  refused({ kind: 'schema', schema: person }, { characters: 37 }, /at least 38 characters, and it may have 37/);
  refused({ kind: 'schema', schema: person }, { words: 2 }, /at least 3 words/);
  refused({ kind: 'schema', schema: { type: 'string', minLength: 1_000_000_000 } }, { characters: 500 }, /at least 1000000002 characters/);
  refused({ kind: 'choice', choices: ['Albert Einstein', 'Marie Curie'] }, { words: 1 }, /none of the choices is within the limits of the text \(1 words\)/);
  refused({ kind: 'json' }, { lineWords: 5 }, /limits of each line cannot be combined/);
  t.doesNotThrow(() => compileConstraint({ kind: 'schema', schema: person }, vocabulary, { characters: 38 }));
  t.end();
});

t.test('the engine keeps to limits, and ends with the reason length exactly where they left something out', async (t) => {
  const engine = await startEngine(t, { limits: { slots: 8 } });
  const prompt = ask('Albert Einstein was born');
  for (const limits of [{ words: 6 }, { characters: 30 }, { words: 9, characters: 40 }] satisfies TextLimits[]) {
    const texts = await Promise.all(Array.from({ length: 6 }, async (_, seed) => collect(engine.generate({ ...prompt, ...wild(seed, 60), limits }))));
    for (const { text, deltas, reason } of texts) {
      if (!isWithin(text, limits)) t.fail(`${JSON.stringify(limits)}: ${JSON.stringify(text)}`);
      t.match(reason, /^(stop|length)$/);
      t.equal(deltas.join(''), text);
    }
    t.ok(
      texts.some(({ reason }) => reason === 'length'),
      'some were too long',
    );
  }
  const free = await collect(engine.generate({ ...prompt, maxTokens: 30 }));
  t.same(
    await collect(engine.generate({ ...prompt, maxTokens: 30, limits: { words: 500 } })).then(({ text, reason }) => [text, reason]),
    [free.text, free.reason],
    'limits that are far away change nothing',
  );
  const schema = {
    kind: 'schema',
    schema: { type: 'object', properties: { said: { type: 'string' } }, required: ['said'], additionalProperties: false },
  } as const;
  for (let seed = 0; seed < 6; seed++) {
    const { text, reason } = await collect(engine.generate({ ...prompt, ...wild(seed, 300), constraint: schema, limits: { characters: 40 } }));
    t.type(JSON.parse(text), 'object');
    if (!isWithin(text, { characters: 40 })) t.fail(text);
    t.match(reason, /^(stop|length)$/);
  }
  t.match(await failure(collect(engine.generate({ ...prompt, constraint: schema, limits: { characters: 5 } }))), { code: 'constraint_invalid' });
});

t.test('a text that is written elsewhere is cut as it comes', async (t) => {
  async function* says(text: string): AsyncGenerator<GenerateEvent> {
    yield { kind: 'reasoning', text: 'one two three four five six' };
    for (const [word] of text.matchAll(/\s*\S+/g)) yield { kind: 'delta', text: word };
    yield { kind: 'finish', reason: 'stop', usage: { promptTokens: 3, completionTokens: 9 } };
  }
  const limited = (text: string, limits: TextLimits) => collect(limitEvents(says(text), { limits }));
  t.match(await limited('He was born in Ulm. He died in Princeton.', { words: 8 }), { text: 'He was born in Ulm.', reason: 'length' });
  t.match(await limited('He was born in Ulm.', { words: 8 }), { text: 'He was born in Ulm.', reason: 'stop', usage: { promptTokens: 3 } });
  t.match(await limited('He was born', { lineWords: 2 }), { text: 'He was', reason: 'length', usage: { promptTokens: 3 } });
  t.match(await failure(collect(limitEvents(says('{}'), { limits: { words: 3 }, constraint: { kind: 'json' } }))), { code: 'constraint_invalid' });
});

t.test('what the model thinks is not limited, what it says behind it is', (t) => {
  const random = seeded(44);
  const special = (text: string): number | undefined => tokenizer.idOf(text);
  const thinking = { open: '<|n|>', close: '<|/n|>' };
  const [open, close] = [special(thinking.open), special(thinking.close)];
  const format: ReplyFormat = { calls: 'generic', thinking };
  const limits = { characters: 12 };
  let thought = 0;
  for (const how of ['free', 'open'] as const)
    for (let i = 0; i < 15; i++) {
      const make = (): Grammar => behindThought(grammarOf({ kind: 'regex', pattern: '[a-z ]{4,}!' }), format, how, special);
      const constraint = constraintOf(`thought ${how}`, make, vocabulary, { limits, marks: { open, close, opened: how === 'open' } });
      let [said, thinks, inside] = ['', how === 'open', ''];
      for (let n = 0; n < 400; n++) {
        const { bits } = constraint.allowed();
        const ids = Array.from({ length: tokenizer.size }, (_, id) => id).filter((id) => ((bits?.[id >>> 5] ?? 0) >>> (id & 31)) & 1);
        // A thought begins where it may, and ends when it is long.
        const mark = [open, close].find((id) => id !== undefined && ids.includes(id));
        const going = ids.filter((id) => id !== END);
        const token = mark === open && i % 2 === 0 ? mark : mark === close && inside.length > 60 ? mark : random.pick(going.length > 0 ? going.filter((id) => id !== mark || ids.length === 1) : ids);
        if (token === END || token === undefined) break;
        if (token === open) thinks = true;
        else if (token === close) [thinks, said] = [false, ''];
        else if (thinks) inside += tokenizer.textOf(token);
        else said += Buffer.from(bytesOf(token) ?? []).toString();
        constraint.accept(token);
        if (constraint.complete()) break;
      }
      if (inside.length > 60) thought++;
      if (!/^\s*[a-z ]{4,}!$/.test(said) || countCharacters(said) > 12) t.fail(`${how}: ${JSON.stringify(said)} behind ${inside.length} characters of thought`);
    }
  t.ok(thought > 10, `${thought} thought longer than they may speak`);
  t.end();
});
