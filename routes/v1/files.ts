// Owns /v1/files: upload, list, read and delete files, as OpenAI's API has it.
// Refuses to know where they lie and what is trained on them.

import { createReadStream } from 'node:fs';
import multipart from '@fastify/multipart';
import type { FastifyRequest } from 'fastify';
import { z } from 'zod';
import { errors, KEEP_ERRORS } from '../../src/contract/common.ts';
import { file, fileDeleted, fileList, fileParams, fileQuery, FILES_PAGE, fileWire, shownName, uploadForm, uploadOf } from '../../src/contract/files.ts';
import { pageAfter } from '../../src/http/after.ts';
import { LineImport } from '../../src/http/lines.ts';
import { HttpError } from '../../src/http/problems.ts';
import type { RoutePlugin } from '../../src/http/provider.ts';
import { exampleOf } from '../../src/training/data/example.ts';
import type { Arrived } from '../../src/workspace/files/file-store.ts';

const FIELD_BYTES = 1024;
const FIELDS = 16;
/** Lines that are checked before others get their turn. */
const BATCH = 1000;
/** What it means where the parser of forms stops at a limit, by its codes. */
const LIMITS: ReadonlyMap<unknown, string> = new Map([
  ['FST_FILES_LIMIT', 'file: is there more than once; send one file in each request'],
  ['FST_PARTS_LIMIT', `the form has more than ${FIELDS + 1} parts, which is the limit; it takes file, purpose and expires_after`],
  ['FST_FIELDS_LIMIT', `the form has more than ${FIELDS} fields, which is the limit; it takes file, purpose and expires_after`],
]);

/** What comes out of a form. Throws HttpError `invalid_value` for a form that is none, is cut off, or has more parts than it may. */
async function* wellFormed<T>(parts: AsyncIterable<T>): AsyncGenerator<T> {
  try {
    yield* parts;
  } catch (error) {
    const limit = error instanceof Error && 'code' in error ? LIMITS.get(error.code) : undefined;
    const reason = error instanceof Error ? error.message : String(error);
    throw new HttpError('invalid_value', limit ?? `the form cannot be read to its end (${reason}); send multipart/form-data with the fields file and purpose`, {
      cause: error,
    });
  }
}

export default (async (app) => {
  await app.register(multipart, {
    throwFileSizeLimit: false,
    limits: { fileSize: Number.POSITIVE_INFINITY, files: 1, fields: FIELDS, fieldSize: FIELD_BYTES, parts: FIELDS + 1, headerPairs: 32 },
  });

  /** Throws HttpError `invalid_line` for the first line that is no example. */
  async function checkExamples({ path }: Arrived, { lifetime }: FastifyRequest): Promise<void> {
    let count = 0;
    const content = createReadStream(path);
    const lines = new LineImport(content, {
      bodyBytes: Number.POSITIVE_INFINITY,
      lineBytes: app.config.limits.lineBytes,
      batch: BATCH,
      read: exampleOf,
      write: async (examples) => void (count += examples.length),
      signal: lifetime,
    });
    try {
      for await (const _ of lines.batches()) continue;
    } finally {
      // Where a line is wrong it was not read to its end, and would stay open.
      content.destroy();
    }
    if (count === 0)
      throw new HttpError(
        'invalid_line',
        'line 1: the file holds no example; write {"messages": [{"role": "user", "content": "..."}, {"role": "assistant", "content": "..."}]} a line',
        { param: 'file', extra: { line: 1 } },
      );
  }
  /** The file and the fields around it, in whatever order they come. */
  async function receive(request: FastifyRequest) {
    if (!request.isMultipart()) throw new HttpError('unsupported_media_type', 'send the file as multipart/form-data with the fields file and purpose');
    const given: Record<string, string> = {};
    let found: { readonly arrived: Arrived; readonly filename: string } | undefined;
    try {
      for await (const part of wellFormed(request.parts())) {
        if (part.type === 'field' && part.fieldname === 'file')
          throw new HttpError('invalid_value', 'file: came as text without a name; send it as a file, with a file name', { param: 'file' });
        if (part.type === 'field') given[part.fieldname] = String(part.value);
        else if (part.fieldname !== 'file')
          throw new HttpError('unknown_parameter', `${part.fieldname}: is not a field that is known here; the file's field is called file`, {
            param: part.fieldname,
          });
        else found = { arrived: await app.files.receive(wellFormed<Uint8Array>(part.file)), filename: shownName(part.filename) };
      }
      if (!found) throw new HttpError('missing_required_parameter', 'file: is required', { param: 'file' });
      const upload = uploadOf(given);
      if (upload.purpose === 'fine-tune') await checkExamples(found.arrived, request);
      return await found.arrived.keep({ ...upload, filename: found.filename });
    } catch (error) {
      await found?.arrived.drop();
      throw error;
    }
  }

  app.route({
    method: 'POST',
    url: '/files',
    config: { time: 'bulk' },
    // The form is read as it arrives, by `receive`.
    validatorCompiler: () => () => true,
    schema: {
      operationId: 'createFile',
      summary: 'Upload a file; examples for fine-tuning are checked line by line',
      tags: ['training'],
      body: { content: { 'multipart/form-data': { schema: uploadForm } } },
      response: { 200: file, ...errors(...KEEP_ERRORS) },
    },
    handler: async (request) => fileWire(await receive(request)),
  });
  app.route({
    method: 'GET',
    url: '/files',
    schema: { operationId: 'listFiles', summary: 'Files that are kept', tags: ['training'], querystring: fileQuery, response: { 200: fileList, ...errors() } },
    handler: async ({ query }) => {
      const found = app.files.list().filter(({ purpose }) => query.purpose === undefined || purpose === query.purpose);
      return pageAfter((query.order === 'asc' ? found : found.toReversed()).map(fileWire), query, FILES_PAGE);
    },
  });
  app.route({
    method: 'GET',
    url: '/files/:id',
    schema: { operationId: 'getFile', summary: 'One file', tags: ['training'], params: fileParams, response: { 200: file, ...errors(404) } },
    handler: async ({ params }) => fileWire(app.files.get(params.id)),
  });
  app.route({
    method: 'GET',
    url: '/files/:id/content',
    config: { time: 'bulk' },
    schema: {
      operationId: 'getFileContent',
      summary: "A file's content",
      tags: ['training'],
      params: fileParams,
      response: { 200: { description: 'The bytes as they were given.', content: { 'application/octet-stream': { schema: z.any() } } }, ...errors(404) },
    },
    handler: async ({ params }, reply) => {
      const { id, bytes, filename } = app.files.get(params.id);
      return reply
        .type('application/octet-stream')
        .header('content-length', bytes)
        .header(
          'content-disposition',
          `attachment; filename*=UTF-8''${encodeURIComponent(filename).replace(/['()*]/g, (sign) => `%${sign.charCodeAt(0).toString(16)}`)}`,
        )
        .header('x-content-type-options', 'nosniff')
        .send(createReadStream(app.files.path(id)));
    },
  });
  app.route({
    method: 'DELETE',
    url: '/files/:id',
    schema: { operationId: 'deleteFile', summary: 'Delete a file', tags: ['training'], params: fileParams, response: { 200: fileDeleted, ...errors(404) } },
    handler: async ({ params }) => {
      await app.files.delete(params.id);
      return { id: params.id, object: 'file' as const, deleted: true as const };
    },
  });
}) satisfies RoutePlugin;
