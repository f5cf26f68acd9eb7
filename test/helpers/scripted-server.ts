// Owns a server on a real socket that answers with what a test tells it to: JSON, streams in OpenAI's form, and nonsense.
// Refuses to know what it says.

import { createServer } from 'node:http';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Test } from 'tap';

/** `body`: JSON of the request. */
export type Handler = (path: string, body: unknown, response: ServerResponse) => void;
export async function scripted(t: Pick<Test, 'teardown'>, handle: Handler): Promise<{ readonly url: string }> {
  const server = createServer((request: IncomingMessage, response) => {
    let text = '';
    request.on('data', (bytes: Buffer) => (text += bytes.toString()));
    request.on('end', () => handle(request.url ?? '', text === '' ? undefined : JSON.parse(text), response));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.teardown(() => {
    server.closeAllConnections();
    server.close();
  });
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}` };
}
export const json = (response: ServerResponse, status: number, body: object): void => void response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
export function stream(response: ServerResponse, pieces: readonly string[], usage: object): void {
  response.writeHead(200, { 'content-type': 'text/event-stream' });
  for (const content of pieces) response.write(`data: ${JSON.stringify({ choices: [{ index: 0, delta: { content }, finish_reason: null }] })}\n\n`);
  response.write(`data: ${JSON.stringify({ choices: [{ index: 0, delta: {}, finish_reason: 'stop' }] })}\n\n`);
  response.end(`data: ${JSON.stringify({ choices: [], usage })}\n\ndata: [DONE]\n\n`);
}
