// Owns that openapi.yaml means the same to readers of YAML 1.1 and 1.2, and says what any operation may answer.
// Refuses to know the operations.

import { readFile } from 'node:fs/promises';
import t from 'tap';
import { isScalar, parse, parseDocument, visit } from 'yaml';

const text = await readFile(new URL('../../openapi.yaml', import.meta.url), 'utf8');

t.test('every reader of YAML reads the same document', async (t) => {
  t.same(parse(text, { version: '1.1' }), parse(text), 'no text is a number, a date or a boolean to readers of YAML 1.1');
  // https://yaml.org/type/value.html: some readers of 1.1 stop at it.
  const values: unknown[] = [];
  visit(parseDocument(text), {
    Scalar(_, node) {
      if (isScalar(node) && node.source === '=' && node.type === 'PLAIN') values.push(node.range);
    },
  });
  t.same(values, [], 'nor is = without quotes');
});

t.test('every operation may be asked with an address that is too long, and says so', async (t) => {
  const { paths } = parse(text) as { readonly paths: Readonly<Record<string, Readonly<Record<string, { readonly responses: object }>>>> };
  for (const [path, operations] of Object.entries(paths)) for (const [method, { responses }] of Object.entries(operations)) t.ok('431' in responses, `${method} ${path}`);
});
