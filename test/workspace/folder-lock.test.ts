// Owns that a folder has one owner, and is free again when that one ends.
// Refuses to know what is in it.

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import t from 'tap';
import { FolderError, lockFolder } from '../../src/workspace/folder-lock.ts';

t.test('a folder that is used is refused, by this process and by others, and free when it was given back', (t) => {
  const folder = join(t.testdir(), 'data');
  const lock = lockFolder(folder);
  t.throws(() => lockFolder(folder), { message: /is used by another Pharos; .*give this one another folder/ });
  lock.release();
  lockFolder(folder).release();
  t.end();
});

t.test('a folder that cannot be written is refused by name', (t) => {
  const file = join(t.testdir({ file: 'x' }), 'file');
  for (const folder of [file, join(file, 'data')]) {
    const refused = t.throws(() => lockFolder(folder), { message: /^.*file(\/data)? cannot be written, as the folder of PHAROS_DATA has to be: / });
    t.ok(refused instanceof FolderError);
  }
  t.end();
});

t.test('a process that is killed holds nothing', async (t) => {
  const folder = join(t.testdir(), 'data');
  const module = new URL('../../src/workspace/folder-lock.ts', import.meta.url).href;
  const child = spawn(process.execPath, ['--input-type=module', '-e', `const { lockFolder } = await import(${JSON.stringify(module)}); globalThis.lock = lockFolder(${JSON.stringify(folder)}); console.log('held'); setInterval(() => {}, 1000);`], { stdio: ['ignore', 'pipe', 'inherit'] });
  await once(child.stdout, 'data');
  t.throws(() => lockFolder(folder), { message: /is used by another Pharos/ });
  child.kill('SIGKILL');
  await once(child, 'close');
  lockFolder(folder).release();
});
