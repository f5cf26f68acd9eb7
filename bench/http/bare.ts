// Owns the yardstick of request overhead: Fastify as it comes, with routes that do nothing but return what they were told.
// Refuses to know Pharos.

import Fastify from 'fastify';

const { PORT, BODY } = process.env;
const body = Buffer.from(BODY ?? '{}');
const app = Fastify();
app.get('/bare', (_request, reply) => reply.type('application/json; charset=utf-8').send(body));
app.post('/bare', (_request, reply) => reply.type('application/json; charset=utf-8').send(body));
await app.listen({ host: '127.0.0.1', port: Number(PORT) });
process.once('SIGTERM', () => void app.close());
