// Owns what stop strings do to an answer from the graph: it ends where they say, tells which one it was, and is verified where none did.
// Refuses to know HTTP and how a model stops.

import t from 'tap';
import { DEFAULT_BASE } from '../../graph/terms.ts';
import { createAnswerer } from '../../src/answers/answerer.ts';
import type { AnswerEvent, AnswerRequest } from '../../src/answers/port.ts';
import type { GenerateEvent } from '../../src/engine/port.ts';
import { openExample } from '../helpers/answer-world.ts';
import { says, SCRIPTED, scriptedEngine } from '../helpers/scripted-engine.ts';

const world = await openExample();
t.teardown(() => world.close());
let script: readonly GenerateEvent[] = [];
const answerer = createAnswerer({ knowledge: world.graph, engine: scriptedEngine(() => script) });
t.teardown(() => answerer.close());

async function ask(stop: readonly string[], more: Partial<AnswerRequest> = {}): Promise<{ readonly text: string; readonly end: AnswerEvent | undefined }> {
  const events = await Array.fromAsync(
    answerer.answer({
      model: SCRIPTED.id,
      messages: [{ role: 'user', content: 'Where was Albert Einstein born?' }],
      sampling: { temperature: 0, topP: 1 },
      maxTokens: 100,
      stop,
      knowledge: { base: DEFAULT_BASE, mode: 'grounded', hops: 1 },
      ...more,
    }),
  );
  return { text: events.map((event) => (event.kind === 'delta' ? event.text : '')).join(''), end: events.at(-1) };
}

t.test('the stop string that ended the words of the model is told, out of the cache, too', async (t) => {
  script = [{ kind: 'delta', text: 'Albert Einstein was born in ' }, { kind: 'finish', reason: 'stop', stop: 'Ulm', usage: { promptTokens: 1, completionTokens: 5 } }];
  for (const cached of [false, true]) t.match(await ask(['Ulm']), { text: 'Albert Einstein was born in', end: { reason: 'stop', stop: 'Ulm', grounding: { cached, wording: 'model' } } });
});

t.test('a reply that no stop string ended is verified as any other', async (t) => {
  script = says('Albert Einstein was born in Paris.');
  t.match(await ask(['\n\n']), { text: 'Albert Einstein was born in Ulm and Germany.', end: { reason: 'stop', stop: undefined, grounding: { outcome: 'entailed', wording: 'plain' } } });
});

t.test('a plain sentence ends at a stop string, too', async (t) => {
  script = says('Albert Einstein was born in Paris.');
  t.match(await ask(['Germany', 'Ulm']), { text: 'Albert Einstein was born in', end: { reason: 'stop', stop: 'Ulm', grounding: { wording: 'plain' } } });
  const { text, end } = await ask([' and '], { limits: { words: 3 } });
  t.match({ text, end }, { text: 'Ulm', end: { reason: 'length', stop: ' and ' } });
});
