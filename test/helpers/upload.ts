// Owns uploads for tests: a form as clients send it, file first.
// Refuses to know what becomes of it.

import type { FastifyInstance } from 'fastify';
import type { Reply } from './http-app.ts';
import { call } from './http-app.ts';

export interface Form {
  readonly content?: string | Buffer;
  readonly filename?: string;
  readonly purpose?: string;
  readonly fields?: Readonly<Record<string, string>>;
}
export async function upload(app: FastifyInstance, { content, filename = 'file', purpose, fields = {} }: Form): Promise<Reply> {
  const boundary = 'pharos-boundary-7f3a';
  const part = (head: string, body: string | Buffer): Buffer =>
    Buffer.concat([Buffer.from(`--${boundary}\r\ncontent-disposition: form-data; ${head}\r\n\r\n`), Buffer.from(body), Buffer.from('\r\n')]);
  const parts = [
    ...(content === undefined ? [] : [part(`name="file"; filename="${filename}"\r\ncontent-type: application/octet-stream`, content)]),
    ...Object.entries({ ...(purpose === undefined ? {} : { purpose }), ...fields }).map(([name, value]) => part(`name="${name}"`, value)),
  ];
  return call(app, 'POST', '/v1/files', Buffer.concat([...parts, Buffer.from(`--${boundary}--\r\n`)]), {
    'content-type': `multipart/form-data; boundary=${boundary}`,
  });
}
