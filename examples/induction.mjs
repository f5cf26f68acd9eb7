// Owns an example of induction: nine white swans, the rule they suggest, and the black swan that lowers it. Run it beside a server: node examples/induction.mjs [http://127.0.0.1:8080]
// Refuses to know more of Pharos than its HTTP interface.

const server = process.argv[2] ?? 'http://127.0.0.1:8080';
const knowledge_base = 'example-induction';

async function call(method, path, body) {
  const json = body && { headers: { 'content-type': 'application/json' }, body: JSON.stringify({ ...body, knowledge_base }) };
  const reply = await fetch(server + path, { method, ...json });
  if (!reply.ok) throw new Error(`${path}: ${reply.status} ${await reply.text()}`);
  return reply.json();
}
const markdown = async (proof) => (await fetch(`${server}/v1/proofs/${proof}?format=markdown&knowledge_base=${knowledge_base}`)).text();

// It may have run before: begin with nothing.
await call('DELETE', `/v1/triples?all=true&knowledge_base=${knowledge_base}`);
for (const { id } of (await call('GET', `/v1/rules?knowledge_base=${knowledge_base}`)).data) await call('DELETE', `/v1/rules/${id}?knowledge_base=${knowledge_base}`);

const swan = (name, color) => [
  { subject: name, relation: 'is a', object: 'swan' },
  { subject: name, relation: 'has color', object: color },
];
async function learn(what) {
  const { id, rules } = await call('POST', '/v1/reason/induce', { relations: ['has color'], min_support: 3 });
  const found = rules.find(({ text }) => text.includes('swan(?x)'));
  if (!found) throw new Error(`no rule about swans was learned: ${rules.map(({ text }) => text).join(' ')}`);
  const { measures, counter_examples } = found;
  console.log(`# ${what}\n`);
  console.log(`${found.text}\n`);
  console.log(`confidence ${measures.confidence} (${measures.support} of ${measures.predictions}; 95% interval ${measures.interval.map((end) => end.toFixed(2)).join(' to ')})`);
  for (const { subject, relation, object } of counter_examples) console.log(`against it: not known that ${subject} ${relation} ${object}`);
  console.log();
  return { induction: id, rule: found.id };
}

await call('POST', '/v1/triples', { triples: Array.from({ length: 9 }, (_, i) => swan(`swan ${i + 1}`, 'white')).flat() });
await learn('Nine swans, all white');
await call('POST', '/v1/triples', { triples: swan('the swan of Perth', 'black') });
const { induction, rule } = await learn('A black swan');

await call('POST', `/v1/reason/induce/${induction}/adopt`, { rules: [rule] });
await call('POST', '/v1/triples', { triples: [{ subject: 'the swan in the fog', relation: 'is a', object: 'swan', source: 'the harbour log' }] });
const { answers } = await call('POST', '/v1/reason/deduce', { goal: '"has color"("the swan in the fog", ?color)' });
console.log('# What of the swan in the fog?\n');
for (const { bindings, confidence, proof_id } of answers) console.log(`${bindings.color}, with confidence ${confidence}:\n\n${await markdown(proof_id)}`);
