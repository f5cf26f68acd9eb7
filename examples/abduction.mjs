// Owns an example of abduction: the lawn is wet, and there are two rival causes. Run it beside a server: node examples/abduction.mjs [http://127.0.0.1:8080]
// Refuses to know more of Pharos than its HTTP interface.

const server = process.argv[2] ?? 'http://127.0.0.1:8080';
const knowledge_base = 'example-abduction';

async function post(path, body) {
  const reply = await fetch(server + path, { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify({ ...body, knowledge_base }) });
  if (!reply.ok) throw new Error(`${path}: ${reply.status} ${await reply.text()}`);
  return reply.json();
}
const markdown = async (proof) => (await fetch(`${server}/v1/proofs/${proof}?format=markdown&knowledge_base=${knowledge_base}`)).text();

await post('/v1/rules', {
  rules: `
    @name("rain wets the ground") @say("{place} is wet because it rained there") wet(?place) :- rained(?place).
    @name("sprinklers wet the ground") @confidence(0.9) @say("{place} is wet because {device} ran") wet(?place) :- waters(?device, ?place), running(?device).
    @name("rain wets the road, too") wet(?road) :- beside(?road, ?place), rained(?place).
    @name("nothing is wet and dry") :- wet(?x), dry(?x).`,
});
await post('/v1/triples', {
  triples: [
    { subject: 'sprinkler', relation: 'waters', object: 'lawn', source: 'the gardener' },
    { subject: 'road', relation: 'beside', object: 'lawn', source: 'a map' },
  ],
});

async function explain(what, facts) {
  const { explanations } = await post('/v1/reason/abduce', {
    observation: 'wet(lawn)',
    assumable: [
      { relation: 'rained', probability: 0.3 },
      { relation: 'running', probability: 0.1 },
    ],
    facts,
  });
  console.log(`# ${what}\n`);
  for (const { assume, probability, proof_id } of explanations) {
    console.log(`If ${assume.map(({ subject, relation, object }) => `${subject} ${relation} ${object}`).join(' and ')} (probability ${probability.toFixed(2)}):\n`);
    console.log(await markdown(proof_id));
  }
}
await explain('Why is the lawn wet?', []);
await explain('Why is the lawn wet, when the road beside it is dry?', [{ subject: 'road', relation: 'is a', object: 'dry' }]);
