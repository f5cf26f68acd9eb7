// Owns the evaluation of a model on what Pharos asks of one: wording evidence faithfully, refusing, taking triples out of sentences, choosing relation paths, finding facts by vectors; on names, relations and phrasings that training never draws.
// Refuses to know how the model was trained.

import { readFileSync, writeFileSync } from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import { createEngine } from '../src/engine/engine.ts';
import type { Engine } from '../src/engine/port.ts';
import { createUpstream } from '../src/engine/upstream/upstream.ts';
import { table } from '../src/training/evaluation/asking.ts';
import { EXTRACTION_HEAD, extractionRow } from '../src/training/evaluation/extraction.ts';
import { groups } from '../src/training/evaluation/groups.ts';
import { PATHS_HEAD, pathsRow } from '../src/training/evaluation/paths.ts';
import { SEARCH_HEAD, searchRows } from '../src/training/evaluation/search.ts';
import { wordAll, WORDING_HEAD, wordingRow } from '../src/training/evaluation/wording.ts';
import { Random } from '../src/training/random.ts';
import { optionsOf } from './options.ts';

const WRITING = ['wording', 'extraction', 'paths'];
const TASKS = [...WRITING, 'search'];
const AT_ONCE = 8;
const USAGE = `Evaluates a model on what Pharos asks of one.

  npm run evaluate -- [--model models/pharos-mini | --engine http://host:8000/v1 [--name MODEL]] [--tasks wording,extraction,paths,search] [--samples 400] [--seed 77000077]
                      [--names FILE] [--device cpu] [--failures 0] [--card]

  --names     a file of real names, one a line, or triples subject|relation|object; they make a group of their own
  --failures  so many wrong replies are shown
  --card      writes the tables into the model's README.md
A model that was trained to word evidence (pharos.json) is asked in its own format, and also under the names constraint; any other one as the service asks it. PHAROS_ENGINE_KEY is sent to --engine.`;
const args = optionsOf(USAGE, {
  model: { type: 'string', default: 'models/pharos-mini' },
  engine: { type: 'string' },
  name: { type: 'string' },
  tasks: { type: 'string' },
  samples: { type: 'string', default: '400' },
  seed: { type: 'string', default: '77000077' },
  names: { type: 'string' },
  device: { type: 'string', default: 'cpu' },
  failures: { type: 'string', default: '0' },
  card: { type: 'boolean', default: false },
});
const [perGroup, seed, failures] = [args.samples, args.seed, args.failures].map(Number);
if (![perGroup, seed, failures].every((value) => Number.isSafeInteger(value) && value >= 0) || perGroup === 0)
  throw new RangeError('--samples, --seed and --failures are whole numbers, --samples at least 1');

function realNames(file: string): readonly string[] {
  const names = readFileSync(file, 'utf8')
    .split('\n')
    .flatMap((line) => (line.includes('|') ? [line.split('|')[0], line.split('|').at(-1) ?? ''] : [line]));
  return [...new Set(names.map((name) => name.trim()).filter((name) => name !== ''))];
}
const all = groups(args.names === undefined ? undefined : { from: basename(dirname(resolve(args.names))), names: realNames(args.names) });

async function open(): Promise<Engine> {
  const key = process.env.PHAROS_ENGINE_KEY;
  if (args.engine !== undefined) return createUpstream({ url: args.engine, ...(key ? { key } : {}), limit: AT_ONCE });
  return createEngine({ folders: [args.model], device: args.device, threads: 1, limits: { slots: AT_ONCE } });
}

const engine = await open();
try {
  const models = engine.models();
  const info = args.name === undefined ? models[0] : models.find(({ id }) => id === args.name);
  if (!info) throw new Error(`there is no model ${args.name ?? ''}; there are: ${models.map(({ id }) => id).join(', ')}`);
  // An encoder writes nothing.
  const tasks = (args.tasks ?? (info.tasks?.includes('embed') ? 'search' : WRITING.join(','))).split(',');
  for (const task of tasks) if (!TASKS.includes(task)) throw new RangeError(`--tasks ${task} is not known; use ${TASKS.join(', ')}`);
  const sections: string[] = [];
  const section = (title: string, head: readonly string[], rows: readonly (readonly string[])[]): void => {
    sections.push(`### ${title}\n\n${table(head, rows)}`);
    console.log(`${sections.at(-1)}\n`);
  };
  if (tasks.includes('wording'))
    for (const constrained of info.grounded ? [false, true] : [false]) {
      const rows: string[][] = [];
      for (const group of all) {
        const judged = await wordAll(engine, info, group, new Random(seed), perGroup, constrained, AT_ONCE);
        rows.push(wordingRow(group.title, judged));
        for (const { sample, text, stray } of judged.filter(({ right }) => !right).slice(0, failures))
          console.error(
            `${sample.system}\n  ${sample.user}\n  expected ${sample.assistant}\n  got      ${text}${stray === undefined ? '' : `\n  strange  ${stray}`}`,
          );
      }
      section(constrained ? 'Under the names constraint, as the service runs it' : 'Without any constraint', WORDING_HEAD, rows);
    }
  for (const [task, title, constraint, head, row] of [
    ['extraction', 'Triples out of sentences', 'the form', EXTRACTION_HEAD, extractionRow],
    ['paths', 'Relation path of a question', 'eight paths to choose from', PATHS_HEAD, pathsRow],
  ] as const) {
    if (!tasks.includes(task)) continue;
    // Other models are told the form, and need not be good at keeping it.
    for (const constrained of info.grounded ? [false, true] : [true]) {
      const rows: string[][] = [];
      for (const group of all) rows.push(await row(engine, info, group, new Random(seed), perGroup, AT_ONCE, constrained));
      section(`${title}, ${constrained ? `under the constraint: ${constraint}` : 'without any constraint'}`, head, rows);
    }
  }
  if (tasks.includes('search')) {
    const rows: string[][] = [];
    for (const group of all) rows.push(...(await searchRows(engine, info, group, new Random(seed), perGroup)));
    section('The fact that answers a question, among a thousand', SEARCH_HEAD, rows);
  }
  if (args.card) {
    const file = join(args.model, 'README.md');
    const card = readFileSync(file, 'utf8');
    const marks = /<!-- figures -->[^]*<!-- \/figures -->/;
    if (!marks.test(card)) throw new Error(`${file} has no place for the tables; put <!-- figures --> and <!-- /figures --> into it`);
    writeFileSync(
      file,
      card.replace(marks, () => `<!-- figures -->\n${sections.join('\n\n')}\n<!-- /figures -->`),
    );
  }
} finally {
  await engine.close();
}
