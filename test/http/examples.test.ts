// Owns that requests work as openapi.yaml prints them, against the models and the graph that ship.
// Refuses to know what they answer.

import t from 'tap';
import { openApiYaml } from '../../src/plugins/docs.ts';
import { parse } from 'yaml';
import { call, startApp } from '../helpers/http-app.ts';

interface Schema {
  readonly $ref?: string;
  readonly example?: unknown;
  readonly examples?: readonly unknown[];
}
interface Description {
  readonly paths: Readonly<Record<string, Readonly<Record<string, { readonly requestBody?: { readonly required: boolean; readonly content: Readonly<Record<string, { readonly schema: Schema }>> } }>>>>;
  readonly components: { readonly schemas: Readonly<Record<string, Schema>> };
}
/** They begin what goes on behind the answer, or speak of something that has to be there. */
const NOT_ALONE = /fine_tuning|\{id\}/;

const app = await startApp(t, { PHAROS_EXAMPLE: 'on' });
const { paths, components } = parse(openApiYaml(app)) as Description;
const schemaOf = (schema: Schema): Schema => (schema.$ref === undefined ? schema : components.schemas[schema.$ref.split('/').at(-1) ?? '']);
const printed = Object.entries(paths).flatMap(([path, operations]) =>
  Object.entries(operations).flatMap(([method, { requestBody }]) => {
    const { example, examples = [] } = schemaOf(requestBody?.content['application/json']?.schema ?? {});
    return (example === undefined ? examples : [example, ...examples]).map((body) => ({ path, method: method.toUpperCase() as 'POST' | 'PUT', body }));
  }),
);

t.test('what is asked most has examples', async (t) => {
  for (const path of ['/v1/chat/completions', '/v1/completions', '/v1/responses', '/v1/messages', '/v1/embeddings', '/v1/triples', '/v1/rules', '/v1/extract', '/v1/reason/deduce'])
    t.ok(printed.some((each) => each.path === path), path);
});
t.test('a printed request works as it stands', async (t) => {
  for (const { path, method, body } of printed.filter((each) => !NOT_ALONE.test(each.path))) {
    const reply = await call(app, method, path.replace('{name}', 'thing'), body);
    t.equal(reply.status, 200, `${method} ${path} ${JSON.stringify(body).slice(0, 100)}: ${reply.text.slice(0, 200)}`);
  }
});
t.test('a body need not come where the address says all', async (t) => {
  const needs = (path: string): boolean | undefined => paths[path]['post'].requestBody?.required;
  for (const path of ['/v1/proofs/{id}/check', '/v1/fine_tuning/jobs/{id}/cancel', '/v1/fine_tuning/jobs/{id}/pause', '/v1/fine_tuning/jobs/{id}/resume']) t.equal(needs(path), false, path);
  for (const path of ['/v1/chat/completions', '/v1/triples', '/v1/files']) t.equal(needs(path), true, path);
});
