// Owns tidying the generated OpenAPI document: one schema where reading and writing have the same, none that nothing uses, no bounds that say nothing.
// Refuses to know any operation.

type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json };
type JsonMap = { readonly [key: string]: Json };

const PREFIX = '#/components/schemas/';
/** Suffix that the provider gives to the reading side of a schema. */
const SUFFIX = 'Input';
/** What @fastify/swagger writes where a reply has no description. */
const UNDESCRIBED = 'Default Response';
const isMap = (value: Json | undefined): value is JsonMap => typeof value === 'object' && value !== null && !Array.isArray(value);

/** A copy with every reference renamed, and without what says nothing: bounds of safety, patterns of numbers (they come as text in addresses). */
function rewrite(value: Json, rename: (name: string) => string): Json {
  if (Array.isArray(value)) return (value as readonly Json[]).map((item) => rewrite(item, rename));
  if (!isMap(value)) return value;
  const isNumber = value['type'] === 'integer' || value['type'] === 'number';
  const says = ([key, item]: readonly [string, Json]): boolean =>
    !(
      isNumber &&
      ((key === 'pattern' && typeof item === 'string') ||
        (key === 'minimum' && item === Number.MIN_SAFE_INTEGER) ||
        (key === 'maximum' && item === Number.MAX_SAFE_INTEGER))
    );
  const entries = Object.entries(value).filter(says);
  return Object.fromEntries(
    entries.map(([key, item]): [string, Json] => [
      key,
      key === '$ref' && typeof item === 'string' && item.startsWith(PREFIX)
        ? PREFIX + rename(item.slice(PREFIX.length))
        : key === 'description' && item === UNDESCRIBED
          ? 'Done.'
          : rewrite(item, rename),
    ]),
  );
}
function references(value: Json, found: Set<string>): Set<string> {
  if (Array.isArray(value)) for (const item of value as readonly Json[]) references(item, found);
  else if (isMap(value))
    for (const [key, item] of Object.entries(value))
      if (key === '$ref' && typeof item === 'string' && item.startsWith(PREFIX)) found.add(item.slice(PREFIX.length));
      else references(item, found);
  return found;
}
const bare = (name: string): string => (name.endsWith(SUFFIX) ? name.slice(0, -SUFFIX.length) : name);

/** Schemas whose reading side has the examples of the other one: zod leaves them out where what is read is changed by the reading, and ours are written as they are sent. */
const withExamples = (schemas: JsonMap): JsonMap =>
  Object.fromEntries(
    Object.entries(schemas).map(([name, schema]) => {
      const written = schemas[bare(name)];
      return [name, isMap(schema) && isMap(written) && written['examples'] !== undefined ? { ...schema, examples: written['examples'] } : schema];
    }),
  );

const mapOf = (value: Json | undefined): JsonMap => (isMap(value) ? value : {});
/** Operations, of which the generator says that each body must come; those that may be nothing need not. */
function withOptionalBodies(paths: JsonMap, schemas: JsonMap): JsonMap {
  const mayBeNothing = (schema: JsonMap): boolean => {
    const { $ref, anyOf } = schema;
    if (typeof $ref === 'string') return mayBeNothing(mapOf(schemas[$ref.slice(PREFIX.length)]));
    return Array.isArray(anyOf) && anyOf.some((each) => mapOf(each)['type'] === 'null');
  };
  const ofOperation = (operation: JsonMap): JsonMap => {
    const { requestBody } = operation;
    if (!isMap(requestBody) || !Object.values(mapOf(requestBody['content'])).some((media) => mayBeNothing(mapOf(mapOf(media)['schema'])))) return operation;
    return { ...operation, requestBody: { ...requestBody, required: false } };
  };
  return Object.fromEntries(Object.entries(paths).map(([path, operations]) => [path, Object.fromEntries(Object.entries(mapOf(operations)).map(([method, operation]) => [method, ofOperation(mapOf(operation))]))]));
}

export function tidy(document: object): JsonMap {
  const whole = structuredClone(document) as JsonMap;
  const components = whole['components'] as { readonly schemas: JsonMap } & JsonMap;
  const schemas = withExamples(components.schemas);
  // What operations use, and what that uses.
  const used = references(whole['paths'], new Set());
  for (const name of used) references(schemas[name] ?? null, used);
  const same = (name: string): boolean => JSON.stringify(rewrite(schemas[name], bare)) === JSON.stringify(rewrite(schemas[bare(name)] ?? null, bare));
  const rename = (name: string): string => (name === bare(name) || (used.has(bare(name)) && !same(name)) ? name : bare(name));
  const kept = [...used].map((name): [string, Json] => [rename(name), rewrite(schemas[name], rename)]).toSorted(([a], [b]) => (a < b ? -1 : 1));
  return { ...whole, paths: rewrite(withOptionalBodies(mapOf(whole['paths']), schemas), rename), components: { ...components, schemas: Object.fromEntries(kept) } };
}
