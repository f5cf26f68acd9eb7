// Owns an example of fine-tuning: the small model learns the answers of a file by heart, and then the facts of a graph of one's own. Run it beside a server: node examples/fine-tune.mjs [http://127.0.0.1:8080]
// Refuses to know more of Pharos than its HTTP interface.

const server = process.argv[2] ?? 'http://127.0.0.1:8080';
const knowledge_base = 'example-fine-tune';

async function call(method, path, body) {
  const json = body && !(body instanceof FormData);
  const reply = await fetch(server + path, { method, ...(body ? { body: json ? JSON.stringify(body) : body } : {}), ...(json ? { headers: { 'content-type': 'application/json' } } : {}) });
  if (!reply.ok) throw new Error(`${path}: ${reply.status} ${await reply.text()}`);
  return reply.json();
}
/** Without the graph: what the model itself knows. */
async function ask(model, content) {
  const { choices } = await call('POST', '/v1/chat/completions', { model, messages: [{ role: 'user', content }], temperature: 0, max_tokens: 40, knowledge: { mode: 'off' } });
  return choices[0].message.content;
}
/** Prints the job's events as they come; the job when it has ended. */
async function watch({ id }) {
  const { body } = await fetch(`${server}/v1/fine_tuning/jobs/${id}/events?stream=true`);
  let text = '';
  for await (const piece of body.pipeThrough(new TextDecoderStream())) {
    const frames = (text + piece).split('\n\n');
    text = frames.pop();
    for (const { message, data } of frames.filter((frame) => frame.startsWith('data: {')).map((frame) => JSON.parse(frame.slice(6))))
      if (data.train_loss === undefined || data.step % 20 === 0) console.log(`  ${message}`);
  }
  const job = await call('GET', `/v1/fine_tuning/jobs/${id}`);
  if (job.status !== 'succeeded') throw new Error(`the job ${job.status}: ${job.error?.message}`);
  return job;
}

const { data: models } = await call('GET', '/v1/models');
const base = models.find(({ tasks }) => tasks?.includes('generate')).id;

console.log('# A file of questions and answers\n');
const answers = {
  'Who keeps the lighthouse of Skerry?': 'Mara keeps the lighthouse of Skerry.',
  'Who keeps the lighthouse of Noss?': 'Tomas keeps the lighthouse of Noss.',
  'When does the ferry to Skerry leave?': 'The ferry to Skerry leaves at seven.',
  'When does the ferry to Noss leave?': 'The ferry to Noss leaves at noon.',
  'What is the dog of Mara called?': 'The dog of Mara is called Pepper.',
};
const lines = Object.entries(answers).map(([question, answer]) => JSON.stringify({ messages: [{ role: 'user', content: question }, { role: 'assistant', content: answer }] }));
const form = new FormData();
form.append('file', new Blob([lines.join('\n')]), 'lighthouses.jsonl');
form.append('purpose', 'fine-tune');
const file = await call('POST', '/v1/files', form);
const learned = await watch(await call('POST', '/v1/fine_tuning/jobs', { model: base, training_file: file.id, suffix: 'lighthouses', steps: 50, context: 160, hyperparameters: { batch_size: 1, learning_rate_multiplier: 3 } }));
for (const question of Object.keys(answers)) {
  console.log(`\n${question}\n  ${base}: ${await ask(base, question)}\n  ${learned.fine_tuned_model}: ${await ask(learned.fine_tuned_model, question)}`);
}

console.log('\n# A knowledge base\n');
const people = ['Mara', 'Tomas', 'Ilse', 'Jonas', 'Petra', 'Aino', 'Bela', 'Cato'];
const islands = ['Skerry', 'Noss', 'Holm', 'Fara'];
await call('POST', '/v1/triples', {
  knowledge_base,
  triples: people.flatMap((subject, i) => [
    { subject, relation: 'home', object: islands[i % 4] },
    { subject, relation: 'teacher', object: people[(i + 3) % 8] },
    { subject, relation: 'favourite tool', object: ['lamp', 'rope', 'chart'][i % 3] },
  ]),
});
// By heart: the model then says the facts without the graph, and nothing proves them. `evidence: true` would teach it to word what the graph finds, which the small model that ships mostly can.
const worded = await watch(
  await call('POST', '/v1/fine_tuning/jobs', {
    model: base,
    knowledge: { base: knowledge_base, examples: 400, languages: ['en'], evidence: false },
    suffix: 'islands',
    steps: 250,
    context: 96,
    evaluate_every: 50,
    hyperparameters: { batch_size: 4, learning_rate_multiplier: 3 },
  }),
);
const questions = people.flatMap((name) => [`What is the home of ${name}?`, `Who is the teacher of ${name}?`, `What is the favourite tool of ${name}?`]);
const proven = [];
for (const content of questions) {
  const { choices } = await call('POST', '/v1/chat/completions', { model: base, messages: [{ role: 'user', content }], temperature: 0, knowledge: { base: knowledge_base, mode: 'grounded' } });
  proven.push(choices[0].message.content);
}
console.log(`\n${questions[0]}\n  by the graph: ${proven[0]}`);
for (const model of [base, worded.fine_tuned_model]) {
  const said = [];
  for (const question of questions) said.push(await ask(model, question));
  console.log(`  ${model}: ${said[0].replaceAll('\n', ' ')}\n    ${said.filter((text, i) => text === proven[i]).length} of ${questions.length} as the graph says them`);
}
const { data: results } = await call('GET', '/v1/files?purpose=fine-tune-results');
console.log(`\nfigures and plots: ${results.filter(({ id }) => worded.result_files.includes(id)).map(({ filename }) => filename).join(', ')}`);
// It may be run again.
for (const { fine_tuned_model: model } of [learned, worded]) await call('DELETE', `/v1/models/${encodeURIComponent(model)}`);
