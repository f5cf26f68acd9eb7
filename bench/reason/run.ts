// Owns the comparison of rule engines on the same inputs in the same run: whole processes, from reading the files to the last derived fact.
// Refuses to know how engines work. An engine that is not installed is left out and said to be.

import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { options, printMachine, printTable } from '../common/machine.ts';
import { input } from './inputs.ts';
import type { Input, RuleAtom } from './inputs.ts';

const { data, rows, engines, seconds, repeats, rounds, python } = options({
  data: process.env.PHAROS_OUTSIDE ? join(process.env.PHAROS_OUTSIDE, 'data') : '',
  rows: 'tc,chain,tax10k,tax100k,tax1m,sub100k,lubm1,lubm10',
  engines: 'pharos,clingo,nemo,swi,n3,sqlite',
  seconds: 120,
  repeats: 1,
  rounds: 1,
  python: 'python3',
});
await printMachine(['n3']);
const folder = await mkdtemp(join(tmpdir(), 'pharos-reason-'));
const here = (name: string): string => fileURLToPath(new URL(name, import.meta.url));

const isVariable = (term: string): boolean => term.startsWith('?');
const quoted = (term: string): string => (isVariable(term) ? term : JSON.stringify(term));
const upper = (term: string): string => (isVariable(term) ? `V${term.slice(1)}` : term);
const atomText = ([s, r, o]: RuleAtom, of: (term: string) => string, relation = (name: string): string => name): string => `${relation(r)}(${of(s)},${of(o)})`;
const lower = (name: string): string => name[0].toLowerCase() + name.slice(1);

/** What an engine is given and how it is started; `missing` says why it cannot be. */
interface Engine {
  readonly name: string;
  missing?(): string | undefined;
  prepare(of: Input): Promise<readonly [command: string, ...args: string[]] | undefined>;
}
const has = (command: string, ...args: string[]): string | undefined => (spawnSync(command, args, { stdio: 'ignore' }).status === 0 ? undefined : 'not installed');
async function file(name: string, text: string): Promise<string> {
  const path = join(folder, name);
  await writeFile(path, text);
  return path;
}
const prolog = ({ facts, rules }: Input): string =>
  [...new Set(rules.map(({ head }) => lower(head[1])))].map((relation) => `:- table ${relation}/2.\n`).join('') +
  ':- style_check(-discontiguous).\n' +
  [...new Set([...facts, ...rules.flatMap(({ head, body }) => [head, ...body])].map(([, r]) => lower(r)))].map((relation) => `:- dynamic ${rules.some(({ head }) => lower(head[1]) === relation) ? `${relation}_told` : relation}/2.\n`).join('') +
  facts.map((fact) => `${atomText(fact, upper, (name) => (rules.some(({ head }) => head[1] === name) ? `${lower(name)}_told` : lower(name)))}.\n`).join('') +
  [...new Set(rules.map(({ head }) => head[1]))]
    .map(
      (relation) =>
        `${lower(relation)}(X,Y) :- ${lower(relation)}_told(X,Y).\n` +
        rules.flatMap(({ head, body }) => (head[1] === relation ? [`${atomText(head, upper, lower)} :- ${body.map((atom) => atomText(atom, upper, lower)).join(', ')}.\n`] : [])).join(''),
    )
    .join('') +
  `answers(N) :- findall(1, (member(P, [${[...new Set(rules.map(({ head }) => lower(head[1])))].join(',')}]), call(P, _, _)), L), length(L, N).\n`;
/** Loads the program and asks, in each round; what was loaded goes before the next one begins. */
const prologRounds = (program: string): string =>
  `round(S) :- get_time(A), load_files('${program}', [silent(true)]), answers(N), get_time(B), S is B - A, abolish_all_tables, unload_file('${program}'), nb_setval(said, N).
:- initialization((round(_), nb_getval(said, N), print(N), nl, (${rounds} > 1 -> findall(S, (between(2, ${rounds}, _), round(S)), L), min_list(L, M), format("again ~4f~n", [M]) ; true), halt)).\n`;
const again = `
import sys, time
def rounds(once):
    print(once(), flush=True)
    least = float("inf")
    for _ in range(1, ${rounds}):
        start = time.perf_counter()
        once()
        least = min(least, time.perf_counter() - start)
    if ${rounds} > 1: print("again %.4f" % least)
`;
const n3 = ({ facts, rules }: Input): readonly [facts: string, rules: string] => {
  const term = (text: string): string => (isVariable(text) ? text : `:${text}`);
  const triple = ([s, r, o]: RuleAtom): string => `${term(s)} :${r} ${term(o)}`;
  const prefix = '@prefix : <urn:x:>.\n';
  return [prefix + facts.map((fact) => `${triple(fact)}.\n`).join(''), prefix + rules.map(({ head, body }) => `{ ${body.map(triple).join('. ')} } => { ${triple(head)} }.\n`).join('')];
};
const ENGINES: readonly Engine[] = [
  {
    name: 'pharos',
    async prepare({ facts, rules }) {
      const text = rules.map(({ head, body }) => `${atomText(head, quoted, quoted)} :- ${body.map((atom) => atomText(atom, quoted, quoted)).join(', ')}.\n`).join('');
      return [process.execPath, here('pharos.ts'), await file('rules.txt', text), await file('facts.tsv', facts.map((fact) => fact.join('\t')).join('\n')), String(rounds)];
    },
  },
  {
    name: 'clingo',
    missing: () => has(python, '-c', 'import clingo'),
    async prepare({ facts, rules }) {
      const text = facts.map((fact) => `${atomText(fact, upper, lower)}.\n`).join('') + rules.map(({ head, body }) => `${atomText(head, upper, lower)} :- ${body.map((atom) => atomText(atom, upper, lower)).join(', ')}.\n`).join('');
      return [python, '-c', `${again}import clingo\ndef once():\n    c=clingo.Control(["--warn=none"])\n    c.load(sys.argv[1])\n    c.ground([("base",[])])\n    return len(c.symbolic_atoms)\nrounds(once)`, await file('program.lp', text)];
    },
  },
  {
    name: 'nemo',
    missing: () => has(python, '-c', 'import nmo_python'),
    async prepare({ facts, rules }) {
      const imports: string[] = [];
      for (const relation of new Set(facts.map(([, r]) => r))) {
        const path = await file(`${relation}.csv`, facts.flatMap(([s, r, o]) => (r === relation ? [`${s},${o}\n`] : [])).join(''));
        imports.push(`@import ${relation} :- csv { resource = "${path}", format = (string, string) } .\n`);
      }
      const outputs = [...new Set(rules.map(({ head }) => head[1]))].map((name) => `@output ${name} .\n`);
      const text = [...imports, ...rules.map(({ head, body }) => `${atomText(head, quoted)} :- ${body.map((atom) => atomText(atom, quoted)).join(', ')} .\n`), ...outputs].join('');
      return [python, '-c', `${again}import nmo_python as n\ndef once():\n    n.NemoEngine(n.load_string(open(sys.argv[1]).read())).reason()\n    return "done"\nrounds(once)`, await file('program.rls', text)];
    },
  },
  // Its tables come out empty for LUBM's mutually recursive rules in this translation: that row is left out.
  { name: 'swi', missing: () => has('swipl', '--version'), prepare: async (of) => of.name.startsWith('LUBM') ? undefined : ['swipl', '--stack-limit=16g', '-q', await file('rounds.pl', prologRounds(await file('program.pl', prolog(of))))] },
  {
    name: 'n3',
    async prepare(of) {
      const [facts, rules] = n3(of);
      return [process.execPath, '--max-old-space-size=12000', here('peers/n3.mjs'), await file('facts.n3', facts), await file('rules.n3', rules), String(rounds)];
    },
  },
  {
    name: 'sqlite',
    async prepare(of) {
      if (!of.name.startsWith('closure')) return undefined;
      return [process.execPath, here('peers/sqlite.mjs'), await file('edges.tsv', of.facts.map(([s, , o]) => `${s}\t${o}`).join('\n')), String(rounds)];
    },
  },
];

interface Measure {
  readonly seconds: number;
  /** Of the processor, over all threads. */
  readonly cpu: number;
  readonly megabytes: number;
  readonly said: string;
  /** Seconds of the fastest later round in the same process. */
  readonly again: string;
}
/** One run: seconds and peak resident memory, or why there is none. Node.js finds its modules compiled, as the other engines are. */
async function measure(command: readonly [string, ...string[]]): Promise<Measure | string> {
  const start = performance.now();
  const child = spawn('/usr/bin/time', ['-f', '%M %U %S', ...command], {
    stdio: ['ignore', 'pipe', 'pipe'],
    detached: true,
    env: { ...process.env, NODE_COMPILE_CACHE: join(folder, 'compiled') },
  });
  let [output, errors] = ['', ''];
  child.stdout.setEncoding('utf8').on('data', (text: string) => (output = (output + text).slice(-200)));
  child.stderr.setEncoding('utf8').on('data', (text: string) => (errors = (errors + text).slice(-2000)));
  const stop = (): void => {
    if (child.pid !== undefined && child.exitCode === null) process.kill(-child.pid, 'SIGKILL');
  };
  const late = setTimeout(stop, seconds * 1000 * rounds);
  // It is in a group of its own, and would outlive a run that is ended from outside.
  const ended = (): never => {
    stop();
    return process.exit(130);
  };
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.once(signal, ended);
  const [code] = (await once(child, 'close')) as [number | null];
  clearTimeout(late);
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.off(signal, ended);
  const took = (performance.now() - start) / 1000;
  if (took >= seconds * rounds) return `over ${seconds} s`;
  if (code !== 0) return `failed: ${errors.trim().split('\n').at(-2)?.slice(0, 60) ?? code}`;
  const [kilobytes, user, system] = (errors.trim().split('\n').at(-1) ?? '').split(' ').map(Number);
  return { seconds: took, cpu: user + system, megabytes: kilobytes / 1024, said: output.trim().split('\n')[0]?.slice(0, 20) ?? '', again: /^again (.*)$/m.exec(output)?.[1] ?? '' };
}

const table: (string | number)[][] = [];
/** Engines that have run once: compiled modules are kept, files are in the system's cache. */
const warm = new Set<string>();
const tiny: Input = { name: 'closure of one edge', facts: [['a', 'edge', 'b']], rules: [{ head: ['?x', 'path', '?y'], body: [['?x', 'edge', '?y']] }] };
try {
  for (const row of rows.split(',')) {
    const of = await input(row, data);
    for (const name of engines.split(',')) {
      const engine = ENGINES.find((each) => each.name === name);
      if (!engine) throw new Error(`unknown engine ${name}`);
      const missing = engine.missing?.();
      const command = missing === undefined ? await engine.prepare(of) : undefined;
      if (!command) {
        table.push([of.name, name, missing ?? 'does not apply', '', '', '', '']);
        continue;
      }
      if (!warm.has(name)) {
        warm.add(name);
        await measure((await engine.prepare(tiny)) ?? command);
        await engine.prepare(of);
      }
      const runs: (Measure | string)[] = [];
      for (let i = 0; i < repeats; i++) runs.push(await measure(command));
      const good = runs.filter((run): run is Measure => typeof run !== 'string').toSorted((a, b) => a.seconds - b.seconds);
      const best = good[0];
      table.push(best ? [of.name, name, best.seconds.toFixed(2), best.cpu.toFixed(2), best.megabytes.toFixed(0), best.said, best.again] : [of.name, name, runs.find((run) => typeof run === 'string') ?? '', '', '', '', '']);
      console.error(table.at(-1)?.join(' | '));
    }
  }
} finally {
  await rm(folder, { recursive: true, force: true });
}
printTable(['input', 'engine', 'seconds', 'CPU seconds', 'peak MiB', 'it said', 'again, seconds'], table);
console.log(rounds > 1 ? `one process with ${rounds} rounds: "again" is the fastest of the later ones, reading included` : `whole processes, best of ${repeats}; an engine is stopped after ${seconds} s`);
