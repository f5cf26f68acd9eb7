// Owns turning a JSON Schema into a grammar of which every text is valid by it.
// Refuses what it cannot promise: a keyword that is not supported is an error that names it. Valid texts exist that it does not write: extra properties where the schema does not speak of them, unusual gaps.

import { characters, choice, complement, literal, NOTHING, repeat, rule, sequence } from './expression.ts';
import type { Expression, Grammar } from './expression.ts';
import { anyValue, COLON, COMMA, constant, integers, numbers, quoted, string, stringCharacter } from './json-text.ts';
import { invalid } from './network.ts';
import { parseRegex } from './regex.ts';

type Schema = boolean | Readonly<Record<string, unknown>>;
type Type = 'null' | 'boolean' | 'integer' | 'number' | 'string' | 'array' | 'object';
const TYPES: readonly Type[] = ['null', 'boolean', 'integer', 'number', 'string', 'array', 'object'];

/** Keywords that say nothing about which values are valid. */
const NOTES = new Set(['title', 'description', 'default', 'examples', 'example', '$schema', '$id', 'id', '$comment', '$defs', 'definitions', 'readOnly', 'writeOnly', 'deprecated', '$anchor', 'contentMediaType', 'contentEncoding']);
const BY_TYPE: Readonly<Record<Type, readonly string[]>> = {
  null: [],
  boolean: [],
  integer: ['minimum', 'maximum', 'exclusiveMinimum', 'exclusiveMaximum', 'multipleOf'],
  number: ['minimum', 'maximum', 'exclusiveMinimum', 'exclusiveMaximum', 'multipleOf'],
  string: ['minLength', 'maxLength', 'pattern', 'format'],
  array: ['items', 'prefixItems', 'additionalItems', 'minItems', 'maxItems', 'uniqueItems'],
  object: ['properties', 'required', 'additionalProperties', 'minProperties', 'maxProperties'],
};
const GENERAL = new Set(['type', 'enum', 'const', 'anyOf', 'oneOf', 'allOf', '$ref']);
const SUPPORTED = new Set([...GENERAL, ...Object.values(BY_TYPE).flat()]);

const [DAY, MONTH, YEAR] = ['(?:0[1-9]|1\\d|2[0-8])', '(?:0[1-9]|1[0-2])', '\\d{4}'];
const TIME = '(?:[01]\\d|2[0-3]):[0-5]\\d:[0-5]\\d(?:\\.\\d{1,9})?(?:Z|[+-](?:0\\d|1[0-4]):[0-5]\\d)';
const OCTET = '(?:25[0-5]|2[0-4]\\d|1\\d\\d|[1-9]?\\d)';
const LABEL = '[a-z0-9](?:[a-z0-9-]{0,30}[a-z0-9])?';
/** Each text that matches is of the format; days above 28 are left out, so that every month has them. */
const FORMATS: Readonly<Record<string, string>> = {
  date: `${YEAR}-${MONTH}-${DAY}`,
  time: TIME,
  'date-time': `${YEAR}-${MONTH}-${DAY}T${TIME}`,
  duration: 'P(?:\\d{1,4}D|T\\d{1,4}[HMS])',
  uuid: '[0-9a-f]{8}-[0-9a-f]{4}-[1-8][0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}',
  ipv4: `${OCTET}(?:\\.${OCTET}){3}`,
  ipv6: '[0-9a-f]{1,4}(?::[0-9a-f]{1,4}){7}',
  hostname: `${LABEL}(?:\\.${LABEL}){1,3}`,
  email: `[a-z0-9]+(?:[._+-][a-z0-9]+){0,3}@${LABEL}(?:\\.${LABEL}){1,2}`,
  uri: `https?://${LABEL}(?:\\.${LABEL}){1,2}(?:/[a-z0-9_.~-]+){0,6}`,
};

const MOST_DEPTH = 64;
const MOST_ITEMS = 10_000;

/** Throws EngineError `constraint_invalid` that names the place in the schema and the keyword. */
export function schemaGrammar(schema: unknown): Grammar {
  return new Writer(schema).grammar();
}
/** Any JSON object. */
export const jsonObject = (): Grammar => ({ root: rule('json-object'), rules: anyValue() });

class Writer {
  readonly #whole: unknown;
  readonly #rules = new Map<string, Expression>(anyValue());
  /** Rules of places that `$ref` names, by their pointers. */
  readonly #references = new Map<string, string>();

  constructor(schema: unknown) {
    this.#whole = schema;
  }
  grammar(): Grammar {
    return { root: this.#any(this.#schema(this.#whole, '#'), '#', 0), rules: this.#rules };
  }

  #wrong(at: string, keyword: string, what: string): Error {
    return invalid(`the schema's ${keyword} at ${at} ${what}`);
  }
  #schema(value: unknown, at: string): Schema {
    if (typeof value === 'boolean' || (typeof value === 'object' && value !== null && !Array.isArray(value))) return value as Schema;
    throw invalid(`the schema at ${at} must be an object or a boolean, is ${JSON.stringify(value)?.slice(0, 50)}`);
  }
  #list(value: unknown, at: string, keyword: string): readonly unknown[] {
    if (!Array.isArray(value) || value.length === 0) throw this.#wrong(at, keyword, 'must be a list that is not empty');
    return value;
  }
  #count(schema: Readonly<Record<string, unknown>>, at: string, keyword: string, fallback: number): number {
    const value = schema[keyword];
    if (value === undefined) return fallback;
    if (typeof value !== 'number' || !Number.isInteger(value) || value < 0) throw this.#wrong(at, keyword, 'must be a whole number of at least 0');
    return value;
  }

  #any(schema: Schema, at: string, depth: number): Expression {
    if (depth > MOST_DEPTH) throw invalid(`the schema is nested more than ${MOST_DEPTH} deep at ${at}`);
    if (schema === true) return rule('json');
    if (schema === false) throw invalid(`the schema at ${at} is false: nothing is valid there`);
    const unknown = Object.keys(schema).find((key) => !SUPPORTED.has(key) && !NOTES.has(key) && !key.startsWith('x-'));
    if (unknown !== undefined) throw this.#wrong(at, unknown, 'is not supported; leave it out');
    if (schema['$ref'] !== undefined) return this.#reference(schema, at, depth);
    if (schema['allOf'] !== undefined) return this.#any(this.#merged(schema, at), at, depth + 1);
    for (const keyword of ['anyOf', 'oneOf'] as const) if (schema[keyword] !== undefined) return this.#alternatives(schema, keyword, at, depth);
    if ('const' in schema || schema['enum'] !== undefined) return this.#values(schema, at);
    const types = this.#types(schema, at);
    return choice(...types.map((type) => this.#typed(type, schema, at, depth)));
  }

  #types(schema: Readonly<Record<string, unknown>>, at: string): readonly Type[] {
    const { type } = schema;
    const given = type === undefined ? undefined : Array.isArray(type) ? type : [type];
    const wrong = given?.find((each) => !TYPES.includes(each as Type));
    if (wrong !== undefined || given?.length === 0) throw this.#wrong(at, 'type', `must be one of ${TYPES.join(', ')}, or several of them`);
    const types = (given ?? TYPES.filter((each) => each !== 'integer')) as readonly Type[];
    // Keywords of a type that the schema leaves open bind that type alone.
    return types.filter((each) => each !== 'integer' || !types.includes('number'));
  }

  #reference(schema: Readonly<Record<string, unknown>>, at: string, depth: number): Expression {
    const target = schema['$ref'];
    const beside = Object.keys(schema).find((key) => key !== '$ref' && !NOTES.has(key));
    if (beside !== undefined) throw this.#wrong(at, beside, 'beside $ref is not supported; put both into allOf');
    if (typeof target !== 'string') throw this.#wrong(at, '$ref', 'must be a text');
    let name = this.#references.get(target);
    if (name === undefined) {
      name = `ref ${target}`;
      this.#references.set(target, name);
      this.#rules.set(name, this.#any(this.#resolve(target, at), target, depth + 1));
    }
    return rule(name);
  }
  #resolve(target: string, at: string): Schema {
    if (target !== '#' && !target.startsWith('#/')) throw this.#wrong(at, '$ref', `must point into the schema itself (#/...), is ${JSON.stringify(target)}`);
    let value: unknown = this.#whole;
    for (const part of target.split('/').slice(1)) {
      const key = decodeURIComponent(part).replaceAll('~1', '/').replaceAll('~0', '~');
      value = typeof value === 'object' && value !== null ? (value as Readonly<Record<string, unknown>>)[key] : undefined;
    }
    if (value === undefined) throw this.#wrong(at, '$ref', `points to ${target}, which is not there`);
    return this.#schema(value, target);
  }

  /** One schema out of all of `allOf` and what stands beside it. Only what cannot contradict is put together. */
  #merged(schema: Readonly<Record<string, unknown>>, at: string): Schema {
    const { allOf, ...beside } = schema;
    const parts: Readonly<Record<string, unknown>>[] = [beside];
    for (const [i, part] of this.#list(allOf, at, 'allOf').entries()) {
      let each = this.#schema(part, `${at}/allOf/${i}`);
      for (let steps = 0; typeof each !== 'boolean' && typeof each['$ref'] === 'string' && steps < MOST_DEPTH; steps++) each = this.#resolve(each['$ref'], at);
      if (each === true) continue;
      if (each === false) throw this.#wrong(at, 'allOf', 'holds false: nothing is valid');
      parts.push(each['allOf'] === undefined ? each : (this.#merged(each, `${at}/allOf/${i}`) as Readonly<Record<string, unknown>>));
    }
    const result: Record<string, unknown> = {};
    for (const part of parts)
      for (const [key, value] of Object.entries(part)) {
        if (NOTES.has(key)) continue;
        const before = result[key];
        if (before === undefined || JSON.stringify(before) === JSON.stringify(value)) result[key] = value;
        else if (key === 'required') result[key] = [...new Set([...(before as string[]), ...(value as string[])])];
        else if (key === 'properties') {
          const twice = Object.keys(value as object).find((name) => name in (before as object) && JSON.stringify((before as Record<string, unknown>)[name]) !== JSON.stringify((value as Record<string, unknown>)[name]));
          if (twice !== undefined) throw this.#wrong(at, 'allOf', `says two things about the property ${JSON.stringify(twice)}, which is not supported`);
          result[key] = { ...(before as object), ...(value as object) };
        } else if (['minimum', 'exclusiveMinimum', 'minLength', 'minItems'].includes(key)) result[key] = Math.max(before as number, value as number);
        else if (['maximum', 'exclusiveMaximum', 'maxLength', 'maxItems'].includes(key)) result[key] = Math.min(before as number, value as number);
        else throw this.#wrong(at, 'allOf', `says ${key} twice, which is not supported`);
      }
    // A part that closes itself closes only over its own properties.
    if (result['additionalProperties'] !== undefined && parts.filter(({ properties }) => properties !== undefined).length > 1)
      throw this.#wrong(at, 'allOf', 'puts properties of several parts together of which one has additionalProperties, which is not supported');
    return result;
  }

  #alternatives(schema: Readonly<Record<string, unknown>>, keyword: 'anyOf' | 'oneOf', at: string, depth: number): Expression {
    const { [keyword]: given, ...beside } = schema;
    const constrains = Object.keys(beside).some((key) => !NOTES.has(key));
    const items = this.#list(given, at, keyword).map((item, i) => {
      const place = `${at}/${keyword}/${i}`;
      const each = this.#schema(item, place);
      return { place, schema: constrains ? this.#merged({ ...beside, allOf: [each] }, place) : each };
    });
    if (keyword === 'oneOf') this.#apart(items.map((item) => item.schema), at);
    return choice(...items.filter((item) => item.schema !== false).map((item) => this.#any(item.schema, item.place, depth + 1)));
  }
  /** `oneOf` is `anyOf` where no value can be valid by two: by type, or by a property that is required to have other constants. */
  #apart(items: readonly Schema[], at: string): void {
    const resolved = items.map((item) => {
      let each = item;
      for (let steps = 0; typeof each !== 'boolean' && typeof each['$ref'] === 'string' && steps < MOST_DEPTH; steps++) each = this.#resolve(each['$ref'], at);
      return each;
    });
    const constants = (schema: Schema): readonly string[] | undefined => {
      if (typeof schema === 'boolean') return undefined;
      if ('const' in schema) return [JSON.stringify(schema['const'])];
      return Array.isArray(schema['enum']) ? schema['enum'].map((value) => JSON.stringify(value)) : undefined;
    };
    const kinds = (schema: Schema): readonly Type[] => (typeof schema === 'boolean' ? TYPES : this.#types(schema, at).flatMap((type): Type[] => (type === 'number' ? ['number', 'integer'] : [type])));
    const differ = (a: Schema, b: Schema): boolean => {
      const [one, other] = [constants(a), constants(b)];
      if (one && other) return !one.some((value) => other.includes(value));
      if (!kinds(a).some((type) => kinds(b).includes(type))) return true;
      if (typeof a === 'boolean' || typeof b === 'boolean' || a['type'] !== 'object' || b['type'] !== 'object') return false;
      const [left, right] = [a['properties'], b['properties']] as readonly (Readonly<Record<string, Schema>> | undefined)[];
      const needed = (schema: Readonly<Record<string, unknown>>, name: string): boolean => Array.isArray(schema['required']) && schema['required'].includes(name);
      return Object.keys(left ?? {}).some((name) => {
        if (!right || !(name in right) || !needed(a, name) || !needed(b, name)) return false;
        const [x, y] = [constants((left as Readonly<Record<string, Schema>>)[name]), constants(right[name])];
        return x !== undefined && y !== undefined && !x.some((value) => y.includes(value));
      });
    };
    resolved.forEach((a, i) => {
      const j = resolved.findIndex((b, other) => other > i && !differ(a, b));
      if (j >= 0) throw this.#wrong(at, 'oneOf', `has alternatives ${i} and ${j} that one value may both fit; use anyOf, or give them another type or a required property with other constants`);
    });
  }

  #values(schema: Readonly<Record<string, unknown>>, at: string): Expression {
    const listed = schema['enum'] === undefined ? undefined : this.#list(schema['enum'], at, 'enum');
    const all = 'const' in schema ? [schema['const']] : (listed ?? []);
    const beside = Object.keys(schema).find((key) => !['const', 'enum', 'type'].includes(key) && !NOTES.has(key));
    if (beside !== undefined) throw this.#wrong(at, beside, 'beside const or enum is not supported; leave out the values that it forbids');
    const types = this.#types(schema, at);
    const kind = (value: unknown): Type => (value === null ? 'null' : Array.isArray(value) ? 'array' : typeof value === 'number' ? (Number.isInteger(value) && !types.includes('number') ? 'integer' : 'number') : (typeof value as Type));
    const fitting = all.filter((value) => types.includes(kind(value)) && (!listed || !('const' in schema) || listed.some((other) => JSON.stringify(other) === JSON.stringify(value))));
    if (fitting.length === 0) throw this.#wrong(at, 'const' in schema ? 'const' : 'enum', 'has no value of the type that the schema asks for');
    return choice(...fitting.map(constant));
  }

  #typed(type: Type, schema: Readonly<Record<string, unknown>>, at: string, depth: number): Expression {
    switch (type) {
      case 'null':
        return literal('null');
      case 'boolean':
        return choice(literal('true'), literal('false'));
      case 'integer':
      case 'number':
        return this.#number(type, schema, at);
      case 'string':
        return this.#string(schema, at);
      case 'array':
        return this.#array(schema, at, depth);
      case 'object':
        return this.#object(schema, at, depth);
      default:
        return type satisfies never;
    }
  }

  #number(type: 'integer' | 'number', schema: Readonly<Record<string, unknown>>, at: string): Expression {
    const bound = (keyword: string): number | undefined => {
      const value = schema[keyword];
      if (value !== undefined && typeof value !== 'number') throw this.#wrong(at, keyword, 'must be a number');
      return value;
    };
    const multiple = bound('multipleOf');
    if (multiple !== undefined && !(type === 'integer' && multiple === 1)) throw this.#wrong(at, 'multipleOf', 'is supported for integers and 1 only');
    const [low, high, above, below] = [bound('minimum') ?? -Infinity, bound('maximum') ?? Infinity, bound('exclusiveMinimum') ?? -Infinity, bound('exclusiveMaximum') ?? Infinity];
    const least = Math.max(low, above);
    const most = Math.min(high, below);
    const open = { low: above >= low && above > -Infinity, high: below <= high && below < Infinity };
    const expression =
      type === 'number'
        ? numbers(least, most, open)
        : integers(open.low ? Math.floor(least) + 1 : Math.ceil(least), open.high ? Math.ceil(most) - 1 : Math.floor(most));
    if (!expression) throw this.#wrong(at, 'minimum', `leaves no ${type} up to maximum`);
    return expression;
  }

  #string(schema: Readonly<Record<string, unknown>>, at: string): Expression {
    const { pattern, format } = schema;
    const least = this.#count(schema, at, 'minLength', 0);
    const most = this.#count(schema, at, 'maxLength', Infinity);
    if (most < least) throw this.#wrong(at, 'minLength', 'is greater than maxLength');
    if (pattern === undefined && format === undefined) {
      // One rule for all strings alike: what may come inside them is found once.
      const name = most === Infinity && least === 0 ? 'json-string' : `string ${least}-${most}`;
      if (!this.#rules.has(name)) this.#rules.set(name, string(least, most));
      return rule(name);
    }
    if (pattern !== undefined && format !== undefined) throw this.#wrong(at, 'format', 'beside pattern is not supported');
    const keyword = pattern === undefined ? 'format' : 'pattern';
    if (schema['minLength'] !== undefined || schema['maxLength'] !== undefined) throw this.#wrong(at, keyword, 'beside minLength or maxLength is not supported; say the length in a pattern');
    if (typeof pattern === 'string') return quoted(parseRegex(pattern, { write: stringCharacter, search: true }));
    const known = typeof format === 'string' && Object.hasOwn(FORMATS, format) ? FORMATS[format] : undefined;
    if (known === undefined) throw this.#wrong(at, keyword, `must be ${keyword === 'pattern' ? 'a text' : `one of ${Object.keys(FORMATS).join(', ')}`}`);
    return quoted(parseRegex(known, { write: stringCharacter, search: false }));
  }

  #array(schema: Readonly<Record<string, unknown>>, at: string, depth: number): Expression {
    if (schema['uniqueItems'] === true) throw this.#wrong(at, 'uniqueItems', 'is not supported; leave it out');
    const least = this.#count(schema, at, 'minItems', 0);
    const most = this.#count(schema, at, 'maxItems', Infinity);
    if (most < least) throw this.#wrong(at, 'minItems', 'is greater than maxItems');
    if (least > MOST_ITEMS) throw this.#wrong(at, 'minItems', `is more than ${MOST_ITEMS}`);
    const { items } = schema;
    const firsts = (schema['prefixItems'] ?? (Array.isArray(items) ? items : [])) as unknown;
    if (!Array.isArray(firsts)) throw this.#wrong(at, 'prefixItems', 'must be a list');
    const after = this.#schema((Array.isArray(items) ? schema['additionalItems'] : items) ?? true, `${at}/items`);
    const first = firsts.slice(0, most).map((item, i) => this.#any(this.#schema(item, `${at}/prefixItems/${i}`), `${at}/prefixItems/${i}`, depth + 1));
    if (after === false && least > first.length) throw this.#wrong(at, 'minItems', 'asks for more items than the schema allows');
    const rest = after === false || most <= first.length ? undefined : this.#any(after, `${at}/items`, depth + 1);
    // From the end: what may follow after i items.
    const tail = (count: number): Expression => {
      if (!rest) return NOTHING;
      const [low, high] = [Math.max(0, least - count), most - count];
      if (count > 0) return repeat(sequence(COMMA, rest), low, high);
      const listed = sequence(rest, repeat(sequence(COMMA, rest), Math.max(0, low - 1), high - 1));
      return low > 0 ? listed : choice(listed, NOTHING);
    };
    let inner = tail(first.length);
    for (let i = first.length - 1; i >= 0; i--) {
      const item = sequence(...(i > 0 ? [COMMA] : []), first[i], inner);
      inner = i < least ? item : choice(item, NOTHING);
    }
    return sequence(literal('['), inner, literal(']'));
  }

  #object(schema: Readonly<Record<string, unknown>>, at: string, depth: number): Expression {
    const properties = schema['properties'] === undefined ? {} : (this.#schema(schema['properties'], `${at}/properties`) as Readonly<Record<string, unknown>>);
    if (typeof properties === 'boolean') throw this.#wrong(at, 'properties', 'must be an object');
    const required = schema['required'] === undefined ? [] : schema['required'];
    if (!Array.isArray(required) || required.some((name) => typeof name !== 'string')) throw this.#wrong(at, 'required', 'must be a list of texts');
    const given = schema['additionalProperties'];
    const extra = given === undefined ? undefined : this.#schema(given, `${at}/additionalProperties`);
    const names = [...Object.keys(properties), ...(required as string[]).filter((name) => !Object.hasOwn(properties, name))];
    const members = names.flatMap((name) => {
      const needed = (required as string[]).includes(name);
      const place = `${at}/properties/${name}`;
      const value = Object.hasOwn(properties, name) ? this.#schema(properties[name], place) : (extra ?? true);
      if (value === false && !needed) return [];
      return [{ needed, member: sequence(literal(JSON.stringify(name)), COLON, this.#any(value, place, depth + 1)) }];
    });
    // What the schema does not speak of is left out where it names properties; an object of which nothing is said may hold anything.
    const open = extra ?? names.length === 0;
    const others = open === false ? undefined : sequence(quoted(nameOtherThan(names)), COLON, this.#any(open, `${at}/additionalProperties`, depth + 1));
    const [least, most] = [this.#count(schema, at, 'minProperties', 0), this.#count(schema, at, 'maxProperties', Infinity)];
    const needed = members.filter((member) => member.needed).length;
    if (least > needed) throw this.#wrong(at, 'minProperties', 'is supported only where the required properties are as many');
    if (others ? most < Infinity : most < members.length) throw this.#wrong(at, 'maxProperties', 'is supported only where the properties are not more');
    return sequence(literal('{'), this.#members(members, others), literal('}'));
  }
  /** Members in order, those that are not needed left out at will, and after them any number of others. What may follow a member is a rule: it is named in several places. */
  #members(members: readonly { readonly needed: boolean; readonly member: Expression }[], others: Expression | undefined): Expression {
    const shared = (expression: Expression): Expression => {
      const name = `part ${this.#rules.size}`;
      this.#rules.set(name, expression);
      return rule(name);
    };
    /** What may follow when something stands before, and when nothing does. */
    let after = others ? shared(repeat(sequence(COMMA, others), 0, Infinity)) : NOTHING;
    let first: Expression = others ? choice(sequence(others, after), NOTHING) : NOTHING;
    for (const { needed, member } of members.toReversed()) {
      const one = shared(member);
      const [behind, alone] = [after, first];
      after = shared(needed ? sequence(COMMA, one, behind) : choice(sequence(COMMA, one, behind), behind));
      first = needed ? sequence(one, behind) : choice(sequence(one, behind), alone);
    }
    return first;
  }
}

/** The inside of a string that is none of these names; only characters that need no escape. */
function nameOtherThan(names: readonly string[]): Expression {
  const plain = complement([[0, 0x1f], [34, 34], [92, 92]]);
  const any = repeat(characters(plain), 0, Infinity);
  if (names.length === 0) return any;
  const build = (suffixes: readonly (readonly string[])[]): Expression => {
    const byFirst = Map.groupBy(suffixes.filter((suffix) => suffix.length > 0), ([character]) => character);
    const points = [...byFirst.keys()].map((character) => character.codePointAt(0) ?? 0);
    const off = complement([...points.map((point) => [point, point] as const), ...complement(plain)]);
    return choice(
      ...(suffixes.some((suffix) => suffix.length === 0) ? [] : [NOTHING]),
      ...(off.length > 0 ? [sequence(characters(off), any)] : []),
      ...[...byFirst].filter(([character]) => character !== '"' && character !== '\\' && character >= ' ').map(([character, group]) => sequence(literal(character), build(group.map((suffix) => suffix.slice(1))))),
    );
  };
  return build(names.map((name) => Array.from(name)));
}
