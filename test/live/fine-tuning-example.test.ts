// Owns that the example of fine-tuning runs as its first line says, and shows what it promises.
// Refuses to know the inside.

import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import t from 'tap';
import { call, listen } from '../helpers/http-app.ts';

t.test('the tuned models say what they were taught', async (t) => {
  const { app, url } = await listen(t, { PHAROS_EXAMPLE: 'off' });
  const script = fileURLToPath(new URL('../../examples/fine-tune.mjs', import.meta.url));
  const { stdout } = await promisify(execFile)(process.execPath, [script, url]);
  const [, file, knowledge] = stdout.split(/^# /m);
  t.match(
    file,
    /Who keeps the lighthouse of Skerry\?\n {2}pharos-mini: (?!Mara).*\n {2}ft:pharos-mini:lighthouses:\w+: Mara keeps the lighthouse of Skerry\.\n/,
  );
  t.match(knowledge, /gave \d+ examples for training[^]*validation loss=[^]*by the graph: The home of Mara is Skerry\.[^]*figures and plots: .*metrics\.csv/);
  const right = (model: RegExp): number => Number(new RegExp(`^ +${model.source}: .*\n +(\\d+) of 24 as the graph says them$`, 'm').exec(knowledge)?.[1]);
  const [before, after] = [right(/pharos-mini/), right(/ft:pharos-mini:islands:\w+/)];
  t.ok(before < 6 && after > 18, `${before} of 24 as the graph says them, ${after} when they were learnt`);
  t.match((await call(app, 'GET', '/v1/models')).json.data, { length: 2 }, 'it leaves no model');
});
