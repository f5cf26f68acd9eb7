// Owns POST /tokenize and /detokenize, where vLLM has them: texts and chats as tokens, and tokens as text.
// Refuses to know how texts are cut into tokens.

import { errors, WRITE_ERRORS } from '../src/contract/common.ts';
import { detokenizeReply, detokenizeRequest, encodedOf, tokenizeReply, tokenizeRequest, tokenizeWire } from '../src/contract/tokenize.ts';
import { EngineError } from '../src/engine/port.ts';
import type { TokenTable } from '../src/engine/port.ts';
import { ErrorWith, HttpError } from '../src/http/problems.ts';
import type { RoutePlugin } from '../src/http/provider.ts';

export default (async (app) => {
  async function ask<T>(param: string, work: (table: TokenTable) => Promise<T>): Promise<T> {
    const { tokens } = app.engine;
    if (!tokens) throw new HttpError('invalid_value', 'model: is served elsewhere (PHAROS_ENGINE); ask that server for its tokens', { param: 'model' });
    try {
      return await work(tokens);
    } catch (error) {
      throw error instanceof EngineError && error.code === 'invalid_prompt' ? new ErrorWith(error, { param }) : error;
    }
  }

  app.route({
    method: 'POST',
    url: '/tokenize',
    schema: {
      operationId: 'tokenize',
      summary: 'The tokens of a text or a chat, as a model reads them',
      tags: ['generation'],
      body: tokenizeRequest,
      response: { 200: tokenizeReply, ...errors(404, ...WRITE_ERRORS) },
    },
    handler: async ({ body }) => {
      const info = app.modelOf(body.model, 'any');
      return tokenizeWire(await ask(body.messages ? 'messages' : 'prompt', (table) => table.encode(info.id, encodedOf(body))), info, body);
    },
  });
  app.route({
    method: 'POST',
    url: '/detokenize',
    schema: {
      operationId: 'detokenize',
      summary: 'The text that tokens write',
      tags: ['generation'],
      body: detokenizeRequest,
      response: { 200: detokenizeReply, ...errors(404, ...WRITE_ERRORS) },
    },
    handler: async ({ body }) => ({ prompt: await ask('tokens', (table) => table.decode(app.modelOf(body.model, 'any').id, body.tokens)) }),
  });
}) satisfies RoutePlugin;
