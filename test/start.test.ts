// Owns that the service as it is started keeps compiled code in its data folder, and that Node's own variables go before.
// Refuses to know what the service does.

import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import t from 'tap';

t.test('compiled code is kept in the data folder, where Node is not told otherwise', async (t) => {
  const { NODE_COMPILE_CACHE: _, NODE_DISABLE_COMPILE_CACHE: __, ...environment } = process.env;
  const help = (data: string, more: Readonly<Record<string, string>> = {}): { readonly status: number | null; readonly stdout: string } =>
    spawnSync(process.execPath, [fileURLToPath(new URL('../src/start.ts', import.meta.url)), '--help'], { env: { ...environment, PHAROS_DATA: data, ...more }, encoding: 'utf8' });
  const folder = t.testdir();
  const [own, named, without, file] = ['own', 'named', 'without', 'file'].map((name) => join(folder, name));
  t.match(help(own), { status: 0, stdout: 'PHAROS_PORT' });
  t.not(readdirSync(join(own, 'compiled')).length, 0);
  t.equal(help(named, { NODE_COMPILE_CACHE: join(folder, 'there') }).status, 0);
  t.ok(existsSync(join(folder, 'there')));
  t.notOk(existsSync(named));
  t.equal(help(without, { NODE_DISABLE_COMPILE_CACHE: '1' }).status, 0);
  t.notOk(existsSync(without));
  writeFileSync(file, '');
  t.match(help(file), { status: 0, stdout: 'PHAROS_PORT' }, 'a folder that cannot be written is left alone');
});
