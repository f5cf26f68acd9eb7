// Owns turning a JSON Schema into a grammar of which every text is valid by it.
// Refuses what it cannot promise: a keyword that is not supported is an error that names it. Valid texts exist that it does not write: extra properties where the schema does not speak of them, unusual gaps.

import { CommonTexts, MOST_COMMON } from '../grammar/common-texts.ts';
import { choice, choiceOf, literal, NOTHING, repeat, rule, sequence } from '../grammar/expression.ts';
import type { Expression, Grammar } from '../grammar/expression.ts';
import { multiplesOf } from './json-multiples.ts';
import { integers, numbers } from './json-numbers.ts';
import { anyValue, COLON, COMMA, constant, quoted } from './json-text.ts';
import { invalid } from '../grammar/network.ts';
import { otherNames } from './other-names.ts';
import { patternOfNames, patternsOf } from './pattern-names.ts';
import { membersOf } from './schema-members.ts';
import { refuseOverlap } from './schema-apart.ts';
import { SchemaCases } from './schema-cases.ts';
import { countedItems, isCounted, uniqueItems } from './schema-items.ts';
import { BY_TYPE, CONDITIONS, refuseUnknown } from './schema-keywords.ts';
import { SchemaParts } from './schema-parts.ts';
import { SchemaStrings } from './schema-strings.ts';
import { behindReferences, boundOf, canonical, countOf, isObject, listOf, NOTES, propertiesOf, requiredOf, resolve, schemaOf, typesOf, wrong } from './schema-source.ts';
import type { ObjectSchema, Schema, Type } from './schema-source.ts';

const MOST_DEPTH = 64;
/** Schemas in a schema, those that are put together anew for each place counted at each. */
const MOST_PLACES = 20_000;
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
  readonly #common = new CommonTexts(this.#rules);
  readonly #strings = new SchemaStrings(this.#rules, this.#common);
  readonly #parts: SchemaParts;
  readonly #cases: SchemaCases;
  /** Rules of places that `$ref` names, by their pointers. */
  readonly #references = new Map<string, string>();
  /** Rules of schemas that are put together first: written once, however often references lead to them. */
  readonly #written = new Map<ObjectSchema, string>();
  /** Parts of schemas that several cases have in common. */
  readonly #repeated = new Set<ObjectSchema>();
  #places = 0;

  constructor(schema: unknown) {
    this.#whole = schema;
    this.#parts = new SchemaParts(schema);
    this.#cases = new SchemaCases(schema, this.#parts);
  }
  grammar(): Grammar {
    return { root: this.#any(schemaOf(this.#whole, '#'), '#', 0), rules: this.#rules };
  }

  #any(schema: Schema, at: string, depth: number): Expression {
    if (depth > MOST_DEPTH) throw invalid(`the schema is nested more than ${MOST_DEPTH} deep at ${at}`);
    if (++this.#places > MOST_PLACES) throw invalid(`the schema is too large: written out, it has more than ${MOST_PLACES} places; give allOf, and what stands beside anyOf and oneOf, fewer schemas to be put together with`);
    if (schema === true) return rule('json');
    if (schema === false) throw invalid(`the schema at ${at} is false: nothing is valid there`);
    refuseUnknown(schema, at);
    if (this.#cases.isConditional(schema, at)) return this.#once(schema, at, () => this.#inCases(schema, at, depth));
    const isShared = this.#repeated.has(schema) && ['allOf', 'anyOf', 'oneOf'].every((key) => schema[key] === undefined);
    return isShared ? this.#once(schema, at, () => this.#one(schema, at, depth)) : this.#one(schema, at, depth);
  }
  /** Without conditions. */
  #one(schema: ObjectSchema, at: string, depth: number): Expression {
    if (schema['$ref'] !== undefined) return this.#reference(schema, at, depth);
    if (schema['allOf'] !== undefined) return this.#once(schema, at, () => this.#all(schema, at, depth));
    for (const keyword of ['anyOf', 'oneOf'] as const) if (schema[keyword] !== undefined) return this.#alternatives(schema, keyword, at, depth);
    if ('const' in schema || schema['enum'] !== undefined) return this.#values(schema, at);
    return choiceOf(typesOf(schema, at).map((type) => this.#typed(type, schema, at, depth)));
  }
  #inCases(schema: ObjectSchema, at: string, depth: number): Expression {
    const cases = this.#cases.of(schema, at);
    if (cases.length === 0) throw wrong(at, CONDITIONS.find((key) => schema[key] !== undefined) ?? 'allOf', 'leaves nothing that is valid');
    for (const each of cases) for (const part of [...Object.values(propertiesOf(each, at)), each['items']]) if (isObject(part)) this.#repeated.add(part);
    return choiceOf(cases.map((each) => this.#any(each, at, depth + 1)));
  }
  #once(schema: ObjectSchema, at: string, write: () => Expression): Expression {
    let name = this.#written.get(schema);
    if (name === undefined) {
      name = `${at} ${this.#rules.size}`;
      this.#written.set(schema, name);
      // It may call itself; and its name is taken at once.
      this.#rules.set(name, NOTHING);
      this.#rules.set(name, write());
    }
    return rule(name);
  }

  #reference(schema: ObjectSchema, at: string, depth: number): Expression {
    const target = schema['$ref'];
    const beside = Object.keys(schema).find((key) => key !== '$ref' && !NOTES.has(key));
    if (beside !== undefined) throw wrong(at, beside, 'beside $ref is not supported; put both into allOf');
    const found = resolve(this.#whole, target, at);
    const place = String(target);
    let name = this.#references.get(place);
    if (name === undefined) {
      name = `ref ${place}`;
      this.#references.set(place, name);
      this.#rules.set(name, this.#any(found, place, depth + 1));
    }
    return rule(name);
  }
  #all(schema: ObjectSchema, at: string, depth: number): Expression {
    const { allOf, ...beside } = schema;
    const [only, ...others] = listOf(allOf, at, 'allOf');
    const alone = (part: object): boolean => Object.keys(part).every((key) => NOTES.has(key) || key === '$ref');
    // A reference alone is no other than the schema that it leads to.
    if (others.length === 0 && alone({ ...beside, ...Object(only) })) return this.#any(schemaOf(only, `${at}/allOf/0`), `${at}/allOf/0`, depth + 1);
    const merged = this.#parts.merged(schema, at);
    if (merged === false) throw wrong(at, 'allOf', 'holds false: nothing is valid');
    return this.#any(merged, at, depth + 1);
  }
  #alternatives(schema: ObjectSchema, keyword: 'anyOf' | 'oneOf', at: string, depth: number): Expression {
    const { [keyword]: given, ...beside } = schema;
    const constrains = Object.keys(beside).some((key) => !NOTES.has(key));
    const items = listOf(given, at, keyword).map((item, i) => {
      const place = `${at}/${keyword}/${i}`;
      const each = schemaOf(item, place);
      return { place, schema: constrains ? this.#parts.merged({ ...beside, allOf: [each] }, place) : each };
    });
    if (keyword === 'oneOf') refuseOverlap(this.#whole, items.map((item) => item.schema), at);
    const open = items.filter((item) => item.schema !== false);
    if (open.length === 0) throw wrong(at, keyword, 'has no alternative by which anything is valid');
    const write = (): Expression => choiceOf(open.map((item) => this.#any(item.schema, item.place, depth + 1)));
    return constrains ? this.#once(schema, at, write) : write();
  }

  #values(schema: ObjectSchema, at: string): Expression {
    const listed = schema['enum'] === undefined ? undefined : listOf(schema['enum'], at, 'enum');
    const all = 'const' in schema ? [schema['const']] : (listed ?? []);
    const beside = Object.keys(schema).find((key) => !['const', 'enum', 'type'].includes(key) && !NOTES.has(key));
    if (beside !== undefined) throw wrong(at, beside, 'beside const or enum is not supported; leave out the values that it forbids');
    const types = typesOf(schema, at);
    const kind = (value: unknown): Type => (value === null ? 'null' : Array.isArray(value) ? 'array' : typeof value === 'number' ? (Number.isInteger(value) && !types.includes('number') ? 'integer' : 'number') : (typeof value as Type));
    const fitting = all.filter((value) => types.includes(kind(value)) && (!listed || !('const' in schema) || listed.some((other) => canonical(other) === canonical(value))));
    if (fitting.length === 0) throw wrong(at, 'const' in schema ? 'const' : 'enum', 'has no value of the type that the schema asks for');
    if (fitting.some((value) => isDeep(value, MOST_DEPTH))) throw wrong(at, 'const' in schema ? 'const' : 'enum', `has a value that is nested more than ${MOST_DEPTH} deep`);
    return choiceOf(fitting.map(constant));
  }

  #typed(type: Type, schema: ObjectSchema, at: string, depth: number): Expression {
    switch (type) {
      case 'null':
        return literal('null');
      case 'boolean':
        return choice(literal('true'), literal('false'));
      case 'integer':
      case 'number':
        return this.#number(type, schema, at);
      case 'string':
        return this.#strings.write(schema, at);
      case 'array':
        return this.#array(schema, at, depth);
      case 'object':
        return this.#object(schema, at, depth);
      default:
        return type satisfies never;
    }
  }

  #number(type: 'integer' | 'number', schema: ObjectSchema, at: string): Expression {
    const bound = (keyword: string): number | undefined => boundOf(schema, at, keyword);
    const multiple = bound('multipleOf');
    // Who looks whether a number is a multiple counts in numbers of JavaScript or the like.
    const widest = multiple === undefined ? Infinity : Number.MAX_SAFE_INTEGER;
    const [low, high, above, below] = [Math.max(-widest, bound('minimum') ?? -Infinity), Math.min(widest, bound('maximum') ?? Infinity), bound('exclusiveMinimum') ?? -Infinity, bound('exclusiveMaximum') ?? Infinity];
    const least = Math.max(low, above);
    const most = Math.min(high, below);
    const open = { low: above >= low && above > -Infinity, high: below <= high && below < Infinity };
    const expression =
      type === 'number'
        ? numbers(least, most, open)
        : integers(open.low ? Math.floor(least) + 1 : Math.ceil(least), open.high ? Math.ceil(most) - 1 : Math.floor(most));
    if (!expression && type === 'integer' && least <= most && Math.min(Math.abs(least), Math.abs(most)) > Number.MAX_SAFE_INTEGER)
      throw wrong(at, 'minimum', 'is too close to maximum: whole numbers beyond 2^53 cannot be told apart');
    if (!expression) throw wrong(at, 'minimum', `leaves no ${type} up to maximum`);
    if (multiple === undefined || (multiple === 1 && type === 'integer')) return expression;
    const multiples = multiplesOf(multiple);
    if (!multiples) throw wrong(at, 'multipleOf', 'must be above 0, and is supported with 6 decimal places at most and, without the point, up to 1000');
    return this.#common.of([{ root: expression, rules: new Map() }, multiples], `number ${[type, least, most, open.low, open.high, multiple].join(' ')}`, {
      none: () => wrong(at, 'multipleOf', 'has no multiple within the bounds'),
      tooMany: () => wrong(at, 'multipleOf', `and the bounds come to more than ${MOST_COMMON} places together with others like them; set narrower bounds`),
    });
  }

  #array(schema: ObjectSchema, at: string, depth: number): Expression {
    const least = countOf(schema, at, 'minItems', 0);
    const most = countOf(schema, at, 'maxItems', Infinity);
    if (most < least) throw wrong(at, 'minItems', 'is greater than maxItems');
    if (least > MOST_ITEMS) throw wrong(at, 'minItems', `is more than ${MOST_ITEMS}`);
    const { items } = schema;
    const firsts = (schema['prefixItems'] ?? (Array.isArray(items) ? items : [])) as unknown;
    if (!Array.isArray(firsts)) throw wrong(at, 'prefixItems', 'must be a list');
    const after = schemaOf((Array.isArray(items) ? schema['additionalItems'] : items) ?? true, `${at}/items`);
    const isUnique = schema['uniqueItems'] === true && Math.min(most, after === false ? firsts.length : Infinity) > 1;
    if (isUnique || isCounted(schema)) {
      const among = { firsts: firsts.map((item, i) => schemaOf(item, `${at}/prefixItems/${i}`)), after, least, most, at, cases: this.#cases };
      if (isUnique && isCounted(schema)) throw wrong(at, 'contains', 'beside uniqueItems is not supported');
      const write = (item: Schema, place: string): Expression => this.#shared(this.#any(item, place, depth + 1), at);
      return sequence(literal('['), isUnique ? uniqueItems(among) : countedItems(among, schema, schemaOf(schema['contains'], `${at}/contains`), write), literal(']'));
    }
    const first = firsts.slice(0, most).map((item, i) => this.#any(schemaOf(item, `${at}/prefixItems/${i}`), `${at}/prefixItems/${i}`, depth + 1));
    if (after === false && least > first.length) throw wrong(at, 'minItems', 'asks for more items than the schema allows');
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
      const item = this.#shared(sequence(...(i > 0 ? [COMMA] : []), first[i], inner), at);
      inner = i < least ? item : choice(item, NOTHING);
    }
    return sequence(literal('['), inner, literal(']'));
  }

  #object(schema: ObjectSchema, at: string, depth: number): Expression {
    const required = requiredOf(schema, at);
    const named = this.#named(schema, at);
    const given = named.listed ? false : schema['additionalProperties'];
    const properties = named.listed ?? propertiesOf(schema, at);
    const extra = given === undefined ? undefined : schemaOf(given, `${at}/additionalProperties`);
    const patterns = patternsOf(schema, at);
    const names = [...Object.keys(properties), ...required.filter((name) => !Object.hasOwn(properties, name))];
    const members = names.flatMap((name) => {
      const needed = required.includes(name);
      const place = `${at}/properties/${name}`;
      const matched = patterns.filter(({ matches }) => matches(name)).map((pattern) => pattern.schema);
      const own = Object.hasOwn(properties, name) ? [schemaOf(properties[name], place)] : matched.length > 0 ? [] : [extra ?? true];
      const value = this.#inAll([...own, ...matched], place);
      if (value === false && !needed) return [];
      return [{ needed, member: sequence(literal(JSON.stringify(name)), COLON, this.#any(value, place, depth + 1)) }];
    });
    // What the schema does not speak of is left out where it names properties; an object of which nothing is said may hold anything.
    const open = extra ?? (names.length === 0 && patterns.length === 0);
    if (named.written && names.length > 0) throw wrong(at, 'propertyNames', 'beside properties is supported where it lists the names');
    if (patterns.length > 0 && (typeof open !== 'boolean' || schema['propertyNames'] !== undefined)) throw wrong(at, 'patternProperties', 'is supported without propertyNames, and where additionalProperties is no schema of its own');
    const matching = patternOfNames(patterns, names, at);
    const others = matching
      ? sequence(this.#strings.write({ pattern: matching.pattern }, at), COLON, this.#any(matching.schema, `${at}/patternProperties`, depth + 1))
      : open === false
        ? undefined
        : sequence(named.written ?? quoted(otherNames(names, at)), COLON, this.#any(open, `${at}/additionalProperties`, depth + 1));
    const [least, most] = [countOf(schema, at, 'minProperties', 0), countOf(schema, at, 'maxProperties', Infinity)];
    const needed = members.filter((member) => member.needed).length;
    if (most < needed) throw wrong(at, 'maxProperties', 'is less than the properties that are required');
    const counted = { least: least > needed ? least : 0, most: !others && most >= members.length ? Infinity : most };
    return sequence(literal('{'), membersOf(members, others, { ...counted, at, share: (expression) => this.#shared(expression, at) }), literal('}'));
  }
  /** What is valid by all of them. */
  #inAll(schemas: readonly Schema[], at: string): Schema {
    const [first, ...others] = [...new Map(schemas.map((each) => [canonical(each), each])).values()];
    return others.length === 0 ? first : this.#parts.merged({ allOf: [first, ...others] }, at);
  }
  /** Where references lead that have nothing beside them. */
  #referred(schema: Schema, at: string): Schema {
    // That they come to an end is seen here.
    behindReferences(this.#whole, schema, at);
    let found = schema;
    while (typeof found !== 'boolean' && found['$ref'] !== undefined) {
      const beside = Object.keys(found).find((key) => key !== '$ref' && !NOTES.has(key));
      if (beside !== undefined) throw wrong(at, beside, 'beside $ref is not supported there');
      found = resolve(this.#whole, found['$ref'], at);
    }
    return found;
  }
  /** What `propertyNames` says: the properties that there may be, where it lists their names; else how a name is written, where not any text is one. */
  #named(schema: ObjectSchema, at: string): { readonly listed?: ObjectSchema; readonly written?: Expression } {
    if (schema['propertyNames'] === undefined) return {};
    const place = `${at}/propertyNames`;
    const names = this.#referred(schemaOf(schema['propertyNames'], place), place);
    if (names === true) return {};
    if (names === false) return { listed: {} };
    const values = 'const' in names ? [names['const']] : names['enum'];
    if (Array.isArray(values)) {
      const beside = Object.keys(names).find((key) => !['const', 'enum', 'type'].includes(key) && !NOTES.has(key));
      if (beside !== undefined) throw wrong(place, beside, 'beside const or enum is not supported');
      const [properties, others] = [propertiesOf(schema, at), schema['additionalProperties'] ?? true];
      const listed = values.filter((name) => typeof name === 'string').map((name): [string, unknown] => [name, Object.hasOwn(properties, name) ? properties[name] : others]);
      const missing = requiredOf(schema, at).find((name) => !listed.some(([each]) => each === name));
      if (missing !== undefined) throw wrong(at, 'required', `asks for ${JSON.stringify(missing)}, which propertyNames does not list`);
      return { listed: Object.fromEntries(listed) };
    }
    const keyword = Object.keys(names).find((key) => key !== 'type' && !BY_TYPE.string.includes(key) && !NOTES.has(key));
    if (keyword !== undefined || !typesOf(names, place).includes('string')) throw wrong(place, keyword ?? 'type', 'is not supported there; names are texts');
    return BY_TYPE.string.some((key) => names[key] !== undefined) ? { written: this.#strings.write(names, place) } : {};
  }
  /** Named in several places, or one of very many inside each other. */
  #shared(expression: Expression, at: string): Expression {
    const name = `part ${this.#rules.size} of ${at}`;
    this.#rules.set(name, expression);
    return rule(name);
  }
}

function isDeep(value: unknown, most: number): boolean {
  return typeof value === 'object' && value !== null && (most === 0 || Object.values(value).some((item) => isDeep(item, most - 1)));
}
