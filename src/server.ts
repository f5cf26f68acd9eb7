// Owns the process: reads the environment, listens, says what runs where, and ends.
// Refuses to know how requests are answered.

import closeWithGrace from 'close-with-grace';
import { pino } from 'pino';
import type { FastifyInstance } from 'fastify';
import { buildApp } from './app.ts';
import { ConfigError, describeConfig, parseConfig } from './config.ts';
import type { Config } from './config.ts';
import { EngineError } from './engine/port.ts';
import { FolderError } from './workspace/folder-lock.ts';
import { StoreError } from '../graph/store.ts';
import { DEFAULT_BASE } from '../graph/terms.ts';

/** Time for cores to end after the last request has gone. */
const ENDING_MS = 15_000;
/** What sysexits and most shells take for wrong usage. */
const USAGE = 2;

function readConfig(): Config {
  try {
    return parseConfig(process.env);
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    console.error(error.message);
    return process.exit(USAGE);
  }
}

/** Can whoever starts it see from the message what to set right? The system's own refusals name the address or the file. */
const isPlain = (error: unknown): error is Error => error instanceof EngineError || error instanceof StoreError || error instanceof FolderError || (error instanceof Error && 'syscall' in error);

/** The address as a client on this machine reaches it. */
function addressOf(app: FastifyInstance): string {
  const address = app.server.address();
  if (address === null || typeof address === 'string') return String(address);
  const host =
    address.address === '0.0.0.0' ? '127.0.0.1' : address.address === '::' ? '[::1]' : address.family === 'IPv6' ? `[${address.address}]` : address.address;
  return `http://${host}:${address.port}`;
}

async function banner(app: FastifyInstance, config: Config): Promise<string> {
  const address = addressOf(app);
  const models = app.engine.models();
  const bases = await app.knowledge.bases();
  const main = bases.find(({ base }) => base === DEFAULT_BASE);
  const place = config.graph.kind === 'embedded' ? ` in ${config.data}` : '';
  const others = bases.length - (main ? 1 : 0);
  const key = config.apiKeys.length === 0 ? '' : ` -H 'authorization: Bearer YOUR_KEY'`;
  return [
    `Pharos listens on ${address}   (API: ${address}/docs)`,
    ...models.map(
      ({ id, device, parameters }) => `model  ${id} on ${device}${parameters === undefined ? '' : `, ${(parameters / 1e6).toFixed(1)} M parameters`}`,
    ),
    `store  ${app.storeKind}${place}`,
    `graph  ${main ? `${main.facts} facts, ${main.derived} derived by ${main.rules} rules, ${main.entities} entities, ${main.relations} relations` : 'empty'} in knowledge base "${DEFAULT_BASE}"${others > 0 ? `, and ${others} more` : ''}`,
    '',
    'Ask it something:',
    `curl ${address}/v1/chat/completions${key} -H 'content-type: application/json' \\`,
    `  -d '{"model": "${models[0]?.id}", "messages": [{"role": "user", "content": "Where was Albert Einstein born?"}]}'`,
    '',
  ].join('\n');
}

if (process.argv.includes('--help')) {
  console.log(`Pharos is configured by environment variables:\n\n${describeConfig()}`);
  process.exit(0);
}
if (process.argv.length > 2) {
  console.error(`unknown argument ${process.argv[2]}; Pharos is configured by environment variables, which --help lists`);
  process.exit(USAGE);
}
const config = readConfig();
const log = pino({ level: config.logLevel, redact: ['req.headers.authorization', 'headers.authorization'] }, pino.destination({ dest: 2, sync: true }));
try {
  const app = await buildApp(config, { logger: log });
  closeWithGrace({ delay: config.limits.shutdownMs + ENDING_MS, logger: log }, async ({ signal, err }) => {
    if (err) log.fatal({ err }, 'Pharos ends because of an error that nothing caught');
    else log.info({ signal }, 'Pharos ends');
    await app.close();
  });
  await app.listen({ host: config.host, port: config.port });
  process.stdout.write(await banner(app, config));
} catch (error) {
  if (isPlain(error)) console.error(`Pharos cannot start: ${error.message}`);
  else log.fatal({ err: error }, 'Pharos cannot start');
  process.exit(1);
}
