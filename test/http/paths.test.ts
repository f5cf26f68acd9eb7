// Owns that the methods an address takes are told from those of its neighbours.
// Refuses to know the routes.

import t from 'tap';
import { Paths } from '../../src/http/paths.ts';
import { call, startApp } from '../helpers/http-app.ts';

t.test('an address that is written out takes its own methods, not those of addresses with a name in the same place', async (t) => {
  const paths = new Paths();
  paths.add('/v1/rules/:id', ['DELETE']);
  paths.add('/v1/rules/validate', 'POST');
  paths.add('/docs/*', 'GET');
  t.same(paths.methodsOf('/v1/rules/validate'), ['POST']);
  t.same(paths.methodsOf('/v1/rules/7'), ['DELETE']);
  t.same(paths.methodsOf('/v1/rules/7/8'), []);
  t.same(paths.methodsOf('/docs/a/b'), ['GET']);
  const app = await startApp(t);
  t.match(await call(app, 'PATCH', '/v1/rules/validate', {}), { status: 405, headers: { allow: 'POST' } });
  t.match(await call(app, 'PATCH', '/v1/rules/7', {}), { status: 405, headers: { allow: 'DELETE' } });
});
