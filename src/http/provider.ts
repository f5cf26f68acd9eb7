// Owns the one import of the zod type provider: compilers, the type of a route file, and how routes become OpenAPI.
// Refuses to know any route.

import { createJsonSchemaTransform, jsonSchemaTransformObject, serializerCompiler } from 'fastify-type-provider-zod';
import type { FastifyPluginAsyncZod, ZodTypeProvider } from 'fastify-type-provider-zod';
import type { FastifyInstance } from 'fastify';
import type { SwaggerTransform } from '@fastify/swagger';
import { z } from 'zod';
import { validationError } from './validation.ts';

/** What a file of routes/ exports by default. */
export type RoutePlugin = FastifyPluginAsyncZod;
export type { ZodTypeProvider };

/** A request body in several media types. */
interface BodyByType {
  readonly content: Readonly<Record<string, { readonly schema: z.ZodType }>>;
}
const JSON_TYPE = 'application/json';
const isByType = (body: unknown): body is BodyByType => typeof body === 'object' && body !== null && !(body instanceof z.ZodType) && 'content' in body;

/** Media types of the bodies that a route reads; JSON where it says nothing of them. */
export const bodyTypesOf = (schema: { readonly body?: unknown } | undefined): readonly string[] => (isByType(schema?.body) ? Object.keys(schema.body.content) : [JSON_TYPE]);

/**
 * Routes validate with zod. Replies are of the contract's types, so that they are only written out; with `checkReplies` each is validated, too, and one that
 * breaks the contract becomes a 500 (tests).
 */
export function useZod(app: FastifyInstance, { checkReplies = false }: { readonly checkReplies?: boolean } = {}): void {
  app.setValidatorCompiler<z.ZodType>(({ schema, httpPart = 'body' }) => (data) => {
    const result = schema.safeParse(data);
    return result.success ? { value: result.data } : { error: validationError(result.error.issues, httpPart) };
  });
  if (checkReplies) app.setSerializerCompiler(serializerCompiler);
  else app.setSerializerCompiler(() => (data) => JSON.stringify(data));
}

const transformOne = createJsonSchemaTransform({});
/** As the provider's own, and for bodies in several media types besides. */
export const openApiTransform: SwaggerTransform = (document) => {
  const { schema } = document;
  const body: unknown = schema?.body;
  if (!schema || !isByType(body)) return transformOne(document);
  const convert = (part: unknown): ReturnType<typeof transformOne> => transformOne({ ...document, schema: { ...schema, body: part } });
  const content = Object.fromEntries(Object.entries(body.content).map(([type, { schema: part }]) => [type, { schema: convert(part).schema.body }]));
  const { schema: rest, url } = convert(undefined);
  return { schema: { ...rest, body: { content } }, url };
};
export const openApiTransformObject = jsonSchemaTransformObject;
