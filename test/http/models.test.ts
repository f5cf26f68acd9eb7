// Owns names of models with slashes in them, as those of the hub and of servers elsewhere have: each is found by its address in every dialect, encoded or not.
// Refuses to know how models are loaded.

import t from 'tap';
import { call, startApp } from '../helpers/http-app.ts';
import { SCRIPTED, scriptedEngine } from '../helpers/scripted-engine.ts';

const NAMES = ['scripted', 'owner/name', 'accounts/owner/models/name-1', 'a b/100%', 'owner/模型'];

t.test('a model is found by its name, with as many slashes as that has', async (t) => {
  const app = await startApp(
    t,
    {},
    {
      engine: scriptedEngine(
        () => [],
        NAMES.map((id) => ({ ...SCRIPTED, id })),
      ),
    },
  );
  for (const id of NAMES)
    for (const [base, more] of [
      ['/v1', { object: 'model' }],
      ['', { object: 'model' }],
      ['/anthropic/v1', { type: 'model' }],
    ] as const)
      for (const path of [encodeURIComponent(id), id.split('/').map(encodeURIComponent).join('/')])
        t.match(await call(app, 'GET', `${base}/models/${path}`), { status: 200, json: { id, ...more } }, `${base}/models/${path}`);
  for (const path of ['none', 'owner/none', 'owner/name/none', 'owner/name/']) {
    t.match(await call(app, 'GET', `/v1/models/${path}`), { status: 404, json: { error: { code: 'model_not_found' } } }, path);
    t.match(await call(app, 'GET', `/anthropic/v1/models/${path}`), { status: 404, json: { type: 'error', error: { type: 'not_found_error' } } }, path);
  }
  t.match(await call(app, 'POST', '/anthropic/v1/models/owner/name'), { status: 405 });
  t.match(await call(app, 'GET', '/v1/models/'), { status: 400 });
  t.match(await call(app, 'GET', `/anthropic/v1/models/${'x/'.repeat(200)}`), { status: 400 });
});
