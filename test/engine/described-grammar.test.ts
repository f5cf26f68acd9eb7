// Owns that replies under a grammar of calls in the described forms are read as calls of functions that were offered, with valid arguments, and that what a model writes in them is let through.
// Refuses to know models, and the other formats: test/engine/tools-grammar.test.ts does.

import { Ajv2020 } from 'ajv/dist/2020.js';
import t from 'tap';
import { behindThought, callGrammar } from '../../src/engine/constraints/calls.ts';
import { constraintOf, grammarOf } from '../../src/engine/constraints/constraint.ts';
import type { Tool, ToolChoice } from '../../src/engine/port.ts';
import { formatOf } from '../../src/engine/replies/format.ts';
import type { ReplyFormat } from '../../src/engine/replies/format.ts';
import { FORM_NAMES, FORMS } from '../../src/engine/replies/forms.ts';
import type { Form, FormName } from '../../src/engine/replies/forms.ts';
import { callsWritten } from '../../src/engine/replies/telling.ts';
import { seeded } from '../helpers/store-world.ts';
import { draw, offer, read, World, wrongWhenCut } from './drawn-replies.ts';
import { marksOfForm, THINKING } from './reading.ts';

const ajv = new Ajv2020({ strict: false, formats: { date: true, uuid: true, ipv4: true } });
const text = new World([]);
const thinks = (calls: FormName): ReplyFormat => formatOf('', { calls, ...(formatOf('', { calls }).thinking ? {} : { thinking: THINKING }) });
const special = (calls: FormName): World => new World([...new Set([...marksOfForm(FORMS[calls]), ...(thinks(calls).thinking === undefined ? [] : Object.values(THINKING))])].slice(0, 11));

t.test('whatever is drawn is read as calls of what was offered, with arguments that another validator accepts', async (t) => {
  const random = seeded(23);
  for (const calls of FORM_NAMES) {
    const format = thinks(calls);
    const form: Form = FORMS[calls];
    const wrong = callsWritten(calls, [{ name: 'weather', arguments: '{"zz": 1}' }]) ?? '';
    const opens = [...form.opens, ...(form.around ?? [])].map((mark) => (typeof mark === 'string' ? mark : mark.join('')));
    let [ended, called] = [0, 0];
    for (const world of [text, special(calls)])
      for (let round = 0; round < 4; round++) {
        const tools = offer(random);
        const choice: Exclude<ToolChoice, 'none'> = (['required', 'auto', { name: 'add_2' }, 'required'] as const)[round];
        const parallel = random.next() < 0.6;
        const grammar = callGrammar({ format, tools, choice, parallel, thought: round === 3 ? 'open' : 'free' }, world.special);
        const valid = new Map(tools.map(({ name, parameters }) => [name, ajv.compile(parameters ?? { type: 'object', maxProperties: 0 })]));
        const key = JSON.stringify([calls, round, tools, parallel]);
        const steer = [...(choice === 'auto' ? [...opens, wrong] : []), ...(format.thinking ? [format.thinking.open, format.thinking.close] : [])];
        const tokens = draw(grammar, key, world, random, steer);
        if (!tokens) continue;
        ended++;
        const found = read(tokens, world, format, round === 3 ? 'open' : 'free', tools.map(({ name }) => name));
        const written = world.tokenizer.textOfAll(tokens);
        if (choice !== 'auto' && (found.calls.length === 0 || found.said.trim() !== '')) t.fail(`${key} gave ${written}`);
        const wrongly = wrongWhenCut(tokens, world, format, round === 3 ? 'open' : 'free', typeof choice === 'object' ? [choice.name] : tools.map(({ name }) => name), choice === 'auto' ? opens : undefined);
        if (wrongly !== undefined) t.fail(`${key}: ${wrongly}`);
        if (!parallel && found.calls.length > 1) t.fail(`${key} called twice: ${written}`);
        for (const { name, args } of found.calls) {
          if (typeof choice === 'object' && name !== choice.name) t.fail(`${name} was called`);
          if (valid.get(name)?.(JSON.parse(args)) !== true) t.fail(`${key} gave ${name} ${args}`);
        }
        if (found.calls.length > 0) called++;
      }
    t.ok(ended >= 3 && called >= 2, `${calls}: ${ended} of 8 replies ended, ${called} called`);
  }
});

t.test('what a model writes of its own is let through', async (t) => {
  const tools: Tool[] = [{ name: 'weather', parameters: { type: 'object', properties: { city: { type: 'string' } }, required: ['city'] }, strict: true }];
  for (const calls of FORM_NAMES) {
    const form: Form = FORMS[calls];
    const format = thinks(calls);
    const one = { name: 'weather', arguments: '{"city": "Zürich"}' };
    const written = callsWritten(calls, form.written.between === undefined ? [one] : [one, one]) ?? '';
    for (const world of [text, special(calls)]) {
      const constraint = constraintOf(JSON.stringify([calls, 'own']), () => callGrammar({ format, tools, choice: 'required', parallel: true, thought: 'none' }, world.special), { ...world.vocabulary, compiled: new Map() });
      const refused = world.idsOf(written).find((id) => {
        const { bits, ids } = constraint.allowed();
        if (bits ? ((bits[id >>> 5] >>> (id & 31)) & 1) === 0 : !ids?.includes(id)) return true;
        constraint.accept(id);
        return false;
      });
      t.equal(refused, undefined, `${calls}: ${written}`);
      t.ok(constraint.complete(), calls);
    }
  }
});

t.test('a form that is asked for stands behind the thought and the mark of an answer', async (t) => {
  const random = seeded(24);
  for (const calls of ['kimi-k3', 'solar-open', 'command-r7b'] as const) {
    const world = special(calls);
    const format = thinks(calls);
    let ended = 0;
    for (let i = 0; i < 10; i++) {
      const tokens = draw(behindThought(grammarOf({ kind: 'choice', choices: ['yes', 'no'] }), format, 'open', world.special), `choice ${calls}`, world, random, [format.thinking?.close ?? '']);
      if (!tokens) continue;
      ended++;
      const found = read(tokens, world, format, 'open', []);
      t.ok(['yes', 'no'].includes(found.said), JSON.stringify(found));
    }
    t.ok(ended > 0, calls);
  }
});
