// Owns an example of deduction: Socrates is a man, men are mortal. Run it beside a server: node examples/deduction.mjs [http://127.0.0.1:8080]
// Refuses to know more of Pharos than its HTTP interface.

const server = process.argv[2] ?? 'http://127.0.0.1:8080';
const knowledge_base = 'example-deduction';

async function post(path, body) {
  const reply = await fetch(server + path, { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify({ ...body, knowledge_base }) });
  if (!reply.ok) throw new Error(`${path}: ${reply.status} ${await reply.text()}`);
  return reply.json();
}
const markdown = async (proof) => (await fetch(`${server}/v1/proofs/${proof}?format=markdown&knowledge_base=${knowledge_base}`)).text();

await post('/v1/rules', { rules: '@name("men are mortal") @say("{x} is mortal because {x} is a man") mortal(?x) :- man(?x).' });
await post('/v1/triples', { triples: [{ subject: 'Socrates', relation: 'is a', object: 'man', source: { document: 'Phaedo', page: 1 } }] });

for (const goal of ['mortal(Socrates)', 'mortal(Zeus)']) {
  const { outcome, answers } = await post('/v1/reason/deduce', { goal });
  console.log(`${goal}: ${outcome}`);
  for (const { proof_id } of answers) console.log(`\n${await markdown(proof_id)}`);
}
