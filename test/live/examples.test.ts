// Owns that the examples run as their first line says, against a server as a user starts it, and print what they promise.
// Refuses to know the inside.

import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import t from 'tap';
import { startServer } from '../helpers/http-server.ts';

const server = await startServer(t, { PHAROS_DATA: join(t.testdir(), 'data'), PHAROS_EXAMPLE: 'off' });
async function run(name: string): Promise<string> {
  const { stdout } = await promisify(execFile)(process.execPath, [fileURLToPath(new URL(`../../examples/${name}`, import.meta.url)), server.url]);
  return stdout;
}

t.test('deduction: Socrates is mortal, with the proof down to the page; of Zeus nothing follows', async (t) => {
  const text = await run('deduction.mjs');
  t.match(text, /^mortal\(Socrates\): entailed\n/);
  t.match(text, /Socrates is mortal because Socrates is a man/);
  t.match(text, /Phaedo/);
  t.match(text, /mortal\(Zeus\): not_entailed\n$/);
  t.equal(await run('deduction.mjs'), text, 'it may be run again');
});

t.test('induction: nine white swans suggest a rule; the black one lowers it, and it is adopted as sure as it was found', async (t) => {
  const text = await run('induction.mjs');
  const [, white, black, fog] = text.split(/^# /m);
  t.match(white, /^Nine swans, all white\n[^]*"has color"\(\?x, white\) :- swan\(\?x\)\.\n\nconfidence 1 \(9 of 9;/);
  t.notMatch(white, /against it/);
  t.match(black, /confidence 0\.9 \(9 of 10;[^]*against it: not known that the swan of Perth has color white/);
  t.match(fog, /white, with confidence 0\.9:/);
  t.match(fog, /the harbour log/, 'the proof names its source');
  const bare = (printed: string): string => printed.replaceAll(/f_\w+/g, '');
  t.equal(bare(await run('induction.mjs')), bare(text), 'it may be run again, though facts get new ids');
});

t.test('abduction: rain and the sprinkler both explain the wet lawn; a dry road leaves the sprinkler', async (t) => {
  const text = await run('abduction.mjs');
  const [, first, second] = text.split(/^# /m);
  t.match(
    first,
    /^Why is the lawn wet\?\n\nIf lawn is a rained \(probability 0\.30\):\n[^]*lawn is wet because it rained there[^]*If sprinkler is a running \(probability 0\.09\):\n[^]*lawn is wet because sprinkler ran/,
  );
  t.match(first, /the gardener/, 'the proof names its source');
  t.match(second, /^Why is the lawn wet, when the road beside it is dry\?\n\nIf sprinkler is a running /);
  t.notMatch(second, /rained/);
  t.equal(await run('abduction.mjs'), text, 'it may be run again');
});
