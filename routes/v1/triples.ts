// Owns /v1/triples: add, import, match, withdraw, export.
// Refuses to know where facts are stored and what follows from them.

import { Readable } from 'node:stream';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { z } from 'zod';
import { asList, baseOf, errors, KEEP_ERRORS } from '../../src/contract/common.ts';
import { mayRound, parseExactly } from '../../src/contract/exact-json.ts';
import {
  addReply,
  addRequest,
  bulkLine,
  exportQuery,
  factList,
  factWire,
  importQuery,
  matchQuery,
  patternOf,
  statementOf,
  statementWire,
  triple,
  withdrawQuery,
  withdrawReply,
} from '../../src/contract/triples.ts';
import type { BulkLine } from '../../src/contract/triples.ts';
import { oneBase } from '../../src/http/base.ts';
import { checkTerms, drained, NDJSON } from '../../src/http/body.ts';
import { sendLines } from '../../src/http/events.ts';
import { LineImport } from '../../src/http/lines.ts';
import { answerTo, ErrorWith, HttpError } from '../../src/http/problems.ts';
import { validationError } from '../../src/http/validation.ts';
import type { RoutePlugin } from '../../src/http/provider.ts';
import { checkStatement } from '../../graph/knowledge.ts';
import type { TellResult } from '../../graph/knowledge.ts';
import type { Change } from '../../graph/store.ts';
import { TermError } from '../../graph/terms.ts';
import type { BaseName, TriplePattern } from '../../graph/terms.ts';

const EXPORT_PAGE = 1000;
const partialOf = ({ partial }: Pick<TellResult, 'partial'>): { partial?: NonNullable<TellResult['partial']> } => (partial === undefined ? {} : { partial });
const line = (value: unknown): string => `${JSON.stringify(value)}\n`;

function readTriple(value: unknown, text: string): Change {
  if (mayRound(text)) checkTerms(parseExactly(text));
  const result = triple.safeParse(value);
  if (!result.success) throw validationError(result.error.issues, 'the triple');
  return { kind: 'assert', statement: statementOf(result.data) };
}

/** One triple of a list; what is wrong with it is told with its place. */
function readAt(wire: z.infer<typeof triple>, at: number): Change {
  try {
    const statement = statementOf(wire);
    checkStatement(statement);
    return { kind: 'assert', statement };
  } catch (error) {
    const field = `triples[${at}]`;
    if (error instanceof TermError) throw new TermError(error.code, `${field}: ${error.message}`, field);
    throw error;
  }
}

export default (async (app) => {
  /** Progress after each batch; the last has the totals. */
  async function* progress(work: LineImport<Change, TellResult>): AsyncGenerator<BulkLine> {
    const sum = { added: 0, known: 0, derived: 0, version: 0 };
    let last: BulkLine | undefined;
    for await (const result of work.batches()) {
      sum.added += result.added.length;
      sum.known += result.known;
      sum.derived += result.derived;
      sum.version = result.version;
      last = { object: 'triples.progress', lines: work.acknowledged, ...sum, ...partialOf(result) };
      yield last;
    }
    if (last) yield { ...last, object: 'triples.result', lines: work.acknowledged };
  }
  const told = (error: unknown, request: FastifyRequest, { acknowledged }: LineImport<Change, TellResult>): ErrorWith =>
    new ErrorWith(app.admission.reasonOf(request, error), { acknowledged_lines: acknowledged });

  async function importLines(request: FastifyRequest, reply: FastifyReply, body: Readable, base: BaseName): Promise<FastifyReply | BulkLine> {
    const { bulkBytes, lineBytes, batchTriples } = app.config.limits;
    const work = new LineImport<Change, TellResult>(body, {
      bodyBytes: bulkBytes,
      lineBytes,
      batch: batchTriples,
      read: readTriple,
      write: async (changes) => app.knowledge.tell(base, changes),
      signal: request.lifetime,
    });
    const lines = progress(work);
    // Before the first batch is stored the status is still free; a client that wants one status for the whole import asks for JSON.
    const whole = /\bapplication\/json\b/.test(request.headers.accept ?? '');
    let current: IteratorResult<BulkLine>;
    try {
      current = await lines.next();
      if (whole) for (let next = current; !next.done; next = await lines.next()) current = next;
    } catch (error) {
      throw told(error, request, work);
    }
    if (whole) return current.value as BulkLine;
    async function* frames(): AsyncGenerator<string> {
      try {
        for (; !current.done; current = await lines.next()) yield line(current.value);
      } catch (error) {
        const { body: answer, hidden, status } = answerTo(told(error, request, work));
        if (hidden) request.log.error({ err: error }, 'an import broke off');
        // The status line is long gone: the error says what it would have been.
        yield line({ error: { ...answer.error, status } });
        // What the client is still sending is read, so that it gets to see this.
        await drained(request);
      }
    }
    return sendLines(reply, frames());
  }

  app.route({
    method: 'POST',
    url: '/triples',
    config: { time: 'bulk' },
    schema: {
      operationId: 'addTriples',
      summary: 'Add triples; adding one twice is no error',
      description:
        'As JSON all triples become one transaction. As NDJSON (one triple a line, any number) each batch of lines becomes one transaction, and a line of progress is answered after each. ' +
        'After a mistake or a broken connection, go on with the line after the last that was acknowledged. With `Accept: application/json` an import answers once, at its end, with the status that fits.',
      tags: ['knowledge'],
      querystring: importQuery,
      body: {
        content: { 'application/json': { schema: addRequest }, [NDJSON]: { schema: z.any().meta({ type: 'string', description: 'One Triple a line.' }) } },
      },
      response: {
        200: { description: 'Stored.', content: { 'application/json': { schema: z.union([addReply, bulkLine]) }, [NDJSON]: { schema: bulkLine } } },
        ...errors(...KEEP_ERRORS),
      },
    },
    handler: async (request, reply) => {
      const inQuery = request.query.knowledge_base;
      if (request.body instanceof Readable) return importLines(request, reply, request.body, baseOf(inQuery));
      // Fastify validates a body by its media type; without one there is none.
      if (request.body === undefined)
        throw new HttpError(
          'missing_required_parameter',
          'the body is missing; send {"triples": [...]} as application/json, or one triple a line as application/x-ndjson',
        );
      const { triples, knowledge_base } = request.body as z.infer<typeof addRequest>;
      const result = await app.knowledge.tell(oneBase(inQuery, knowledge_base), triples.map(readAt));
      return { added: result.added.length, known: result.known, derived: result.derived, version: result.version, ...partialOf(result) };
    },
  });

  app.route({
    method: 'GET',
    url: '/triples',
    schema: {
      operationId: 'matchTriples',
      summary: 'Facts that match, stored ones first',
      tags: ['knowledge'],
      querystring: matchQuery,
      response: { 200: factList, ...errors(504) },
    },
    handler: async (request) => {
      const { query, lifetime } = request;
      const { items, cursor } = await app.knowledge.match(baseOf(query.knowledge_base), patternOf(query), {
        limit: query.limit,
        cursor: query.cursor,
        asOf: query.as_of,
        validAt: query.valid_at,
        minConfidence: query.min_confidence,
        derived: query.derived,
        signal: lifetime,
      });
      return asList(items.map(factWire), cursor);
    },
  });

  app.route({
    method: 'DELETE',
    url: '/triples',
    schema: {
      operationId: 'withdrawTriples',
      summary: 'Withdraw facts that match, and what followed only from them',
      tags: ['knowledge'],
      querystring: withdrawQuery,
      response: { 200: withdrawReply, ...errors(429, 504, 507) },
    },
    handler: async (request) => {
      const { query } = request;
      const pattern = patternOf(query);
      const open = Object.keys(pattern).length === 0;
      if (open && query.source === undefined && query.all !== true)
        throw new HttpError(
          'missing_required_parameter',
          'give subject, relation, object or source to say what is withdrawn, or all=true to withdraw every fact',
          { param: 'subject' },
        );
      // A pattern means either true or false triples; one without any restriction is meant for both.
      const changes = (open ? [{}, { negated: true }] : [pattern]).map((each): Change => ({
        kind: 'withdraw',
        pattern: each,
        ...(query.source === undefined ? {} : { source: query.source }),
      }));
      const result = await app.knowledge.tell(baseOf(query.knowledge_base), changes);
      return { withdrawn: result.withdrawn.length, no_longer_derived: result.noLongerDerived, version: result.version, ...partialOf(result) };
    },
  });

  app.route({
    method: 'GET',
    url: '/triples/export',
    config: { time: 'bulk' },
    schema: {
      operationId: 'exportTriples',
      summary: 'Every fact as NDJSON, as the import takes it',
      tags: ['knowledge'],
      querystring: exportQuery,
      response: { 200: { description: 'One Triple a line.', content: { [NDJSON]: { schema: triple } } }, ...errors(504) },
    },
    handler: async (request, reply) => {
      const { query, lifetime } = request;
      const base = baseOf(query.knowledge_base);
      const pageAt = (pattern: TriplePattern, cursor?: string) =>
        app.knowledge.match(base, pattern, { limit: EXPORT_PAGE, derived: query.derived ?? 'exclude', cursor, signal: lifetime });
      const first = await pageAt({});
      async function* frames(): AsyncGenerator<string> {
        for (const pattern of [{}, { negated: true }])
          for (let page = pattern.negated ? await pageAt(pattern) : first; ; page = await pageAt(pattern, page.cursor)) {
            if (page.items.length > 0) yield page.items.map((fact) => line(statementWire(fact))).join('');
            if (page.cursor === undefined) break;
          }
      }
      return sendLines(reply, frames());
    },
  });
}) satisfies RoutePlugin;
