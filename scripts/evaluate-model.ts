// Owns the held-out evaluation of a model that words evidence: names, relations and questions that training never draws, freely and under the names constraint.
// Refuses to know how the model was trained. Usage: node scripts/evaluate-model.ts [--model models/pharos-mini] [--samples 400] [--seed 77000077] [--names FILE] [--device cpu] [--failures 0] [--card]
// --names: a file of real names, one a line, or triples `subject|relation|object`; they make a group of their own. --card writes the tables into the model's README.md.

import { readFileSync, writeFileSync } from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { allowedWords, namesInOrder, verifyReply } from '../src/answers/words/compose.ts';
import { evidenceNames, plain } from '../src/answers/words/evidence.ts';
import { createEngine } from '../src/engine/engine.ts';
import type { Engine, GroundedFormat } from '../src/engine/port.ts';
import { judge, sum } from '../src/training/grounded/judge.ts';
import type { Judgement } from '../src/training/grounded/judge.ts';
import { makeSample } from '../src/training/grounded/samples.ts';
import type { Sample, SampleOptions } from '../src/training/grounded/samples.ts';
import { Random } from '../src/training/random.ts';

const { values: args } = parseArgs({
  options: {
    model: { type: 'string', default: 'models/pharos-mini' },
    samples: { type: 'string', default: '400' },
    seed: { type: 'string', default: '77000077' },
    names: { type: 'string' },
    device: { type: 'string', default: 'cpu' },
    failures: { type: 'string', default: '0' },
    card: { type: 'boolean', default: false },
  },
});
const perGroup = Number(args.samples);
const AT_ONCE = 8;

const real = args.names === undefined ? [] : [...new Set(readFileSync(args.names, 'utf8').split('\n').flatMap((line) => (line.includes('|') ? [line.split('|')[0], line.split('|').at(-1) ?? ''] : [line])).map((name) => name.trim()).filter((name) => name !== ''))];
const NEW = { names: 'held-out', heldOutRelations: true, heldOutQuestions: true } as const;
const groups: readonly { readonly title: string; readonly options: SampleOptions }[] = [
  { title: 'English, new names', options: { language: 'en', names: 'held-out' } },
  { title: 'English, new names, relations and questions', options: { language: 'en', ...NEW } },
  { title: 'Chinese, new names', options: { language: 'zh', names: 'held-out' } },
  { title: 'Chinese, new names, relations and questions', options: { language: 'zh', ...NEW } },
  ...(real.length > 0 ? [{ title: `English, real names from ${basename(dirname(resolve(args.names ?? '')))} (${real.length})`, options: { language: 'en', names: real } as const }] : []),
];

async function answer(engine: Engine, model: string, format: GroundedFormat, sample: Sample, constrained: boolean): Promise<string> {
  const { evidence, language } = sample;
  let text = '';
  const request = {
    model,
    prompt: { kind: 'chat' as const, messages: [{ role: 'system' as const, content: sample.system, trusted: true }, { role: 'user' as const, content: sample.user, trusted: true }] },
    sampling: { temperature: 0, topP: 1 },
    // As the service does: what runs on far beyond the faithful reply is wrong.
    maxTokens: Math.ceil(2 * (await engine.countTokens(model, plain(sample.assistant)))) + 32,
    stop: [],
    ...(constrained ? { constraint: { kind: 'names' as const, names: evidenceNames(evidence), words: allowedWords(evidence, language, format), order: namesInOrder(evidence, language) } } : {}),
  };
  for await (const event of engine.generate(request)) {
    if (event.kind === 'delta') text += event.text;
    else if (event.kind === 'error') return `${text} [${event.error.message}]`;
  }
  return text;
}

const share = (part: number, whole: number): string => (whole === 0 ? 'none' : `${((100 * part) / whole).toFixed(1)}% of ${whole}`);
const HEAD = ['set', 'whole reply exact', 'the same, verdict given', 'the same, facts to search', 'names copied', 'sentence right', 'unknown said', 'false refusals', 'passes the service\'s check'];

const engine = await createEngine({ models: [args.model], device: args.device, threads: 1, limits: { slots: AT_ONCE } });
try {
  const [info] = engine.models();
  const format = info.grounded;
  if (!format) throw new Error(`${args.model} has no pharos.json: it was not trained to word evidence`);
  const tables: string[] = [];
  for (const constrained of [false, true]) {
    const rows: string[][] = [];
    for (const { title, options } of groups) {
      const random = new Random(Number(args.seed));
      const samples = Array.from({ length: perGroup }, () => makeSample(random, options));
      const judged: { readonly sample: Sample; readonly text: string; readonly judgement: Judgement }[] = [];
      const queue = samples.values();
      await Promise.all(
        Array.from({ length: AT_ONCE }, async () => {
          for (const sample of queue) {
            const text = await answer(engine, info.id, format, sample, constrained).catch((error: unknown) => `[${error instanceof Error ? error.message : String(error)}]`);
            judged.push({ sample, text, judgement: judge(sample, text) });
          }
        }),
      );
      const of = (keep: (kind: Sample['kind']) => boolean): ReturnType<typeof sum> => sum(judged.filter(({ sample }) => keep(sample.kind)).map(({ judgement }) => judgement));
      const loose = (kind: Sample['kind']): boolean => kind === 'find' || kind === 'refuse';
      const passed = judged.filter(({ sample, text }) => !loose(sample.kind) && verifyReply(text, sample.evidence, sample.language, true) === undefined);
      const [all, given, search] = [of(() => true), of((kind) => !loose(kind)), of(loose)];
      rows.push([title, share(all.exact, all.replies), share(given.exact, given.replies), share(search.exact, search.replies), share(all.copied, all.names), share(all.sentence, all.replies), share(all.refused, all.unanswerable), share(all.falselyRefused, all.replies - all.unanswerable), share(passed.length, given.replies)]);
      for (const { sample, text } of judged.filter(({ judgement }) => !judgement.exact).slice(0, Number(args.failures))) console.error(`${sample.system}\n  ${sample.user}\n  expected ${sample.assistant}\n  got      ${text}`);
    }
    const table = [HEAD, HEAD.map((_, i) => (i === 0 ? '---' : '---:')), ...rows].map((row) => `| ${row.join(' | ')} |`).join('\n');
    tables.push(`### ${constrained ? 'Under the names constraint, as the service runs it' : 'Without any constraint'}\n\n${table}`);
    console.log(`${tables.at(-1)}\n`);
  }
  if (args.card) {
    const file = join(args.model, 'README.md');
    const card = readFileSync(file, 'utf8');
    const marks = /<!-- figures -->[^]*<!-- \/figures -->/;
    if (!marks.test(card)) throw new Error(`${file} has no place for the tables; put <!-- figures --> and <!-- /figures --> into it`);
    writeFileSync(file, card.replace(marks, () => `<!-- figures -->\n${tables.join('\n\n')}\n<!-- /figures -->`));
  }
} finally {
  await engine.close();
}
