// Owns trying the grammars that Pharos makes of JSON Schemas on the official JSON-Schema-Test-Suite: nothing that is invalid may be written.
// Refuses to know what is supported: a schema that is refused does not apply, by the keyword, nor does what is valid and is not written.

import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { z } from 'zod';
import { options } from '../common/machine.ts';
import { Outcomes, told } from './outcomes.ts';
import { textsOrRefusal } from './texts.ts';

const { suite, drafts } = options({ suite: '', drafts: 'draft4,draft6,draft7,draft2019-09,draft2020-12' });
if (!existsSync(`${suite}/tests`)) throw new Error('give --suite, a checkout of JSON-Schema-Test-Suite; the folder json of the source package of jsonschema on PyPI holds it, too');

const groupsSchema = z.array(z.object({ description: z.string(), schema: z.unknown(), tests: z.array(z.object({ description: z.string(), data: z.unknown(), valid: z.boolean() })) }));
/** What a message says without the place and the values. */
const reasonOf = (message: string): string => message.replace(/ at #\S*/, '').replace(/"[^"]*"/g, '"..."').slice(0, 90);

const groups = new Map<string, Outcomes>();
for (const draft of drafts.split(',')) {
  const outcomes = new Outcomes();
  groups.set(draft, outcomes);
  const folder = `${suite}/tests/${draft}`;
  const formats = existsSync(`${folder}/optional/format`) ? readdirSync(`${folder}/optional/format`).map((file) => `optional/format/${file}`) : [];
  for (const file of [...readdirSync(folder), ...formats].filter((name) => name.endsWith('.json')))
    for (const { description, schema, tests } of groupsSchema.parse(JSON.parse(readFileSync(`${folder}/${file}`, 'utf8')))) {
      const mayBe = textsOrRefusal({ kind: 'schema', schema });
      for (const test of tests) {
        const name = `${file}: ${description}: ${test.description}`;
        const text = JSON.stringify(test.data);
        if (typeof mayBe === 'string') outcomes.skip(name, `refused: ${reasonOf(mayBe)}`);
        else if (mayBe(text) === test.valid) outcomes.pass();
        else if (test.valid) outcomes.skip(name, file.startsWith('optional/format/') || file === 'format.json' ? 'of the format, and not written' : 'valid, and not written: other properties, or in another order');
        else outcomes.fail(name, `${text} is let through by ${JSON.stringify(schema)}`);
      }
    }
}
process.exitCode = told(`JSON Schema, against JSON-Schema-Test-Suite (${drafts})`, groups) ? 0 : 1;
