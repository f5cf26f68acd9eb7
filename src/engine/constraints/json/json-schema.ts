// Owns turning a JSON Schema into a grammar of which every text is valid by it.
// Refuses what it cannot promise: a keyword that is not supported is an error that names it. Valid texts exist that it does not write: extra properties where the schema does not speak of them, unusual gaps.

import { EngineError } from '../../port.ts';
import { CommonTexts } from '../grammar/common-texts.ts';
import { choice, choiceOf, literal, NOTHING, repeat, replaced, rule, sequence } from '../grammar/expression.ts';
import type { Expression, Grammar } from '../grammar/expression.ts';
import { anyValue, COLON, COMMA, quoted } from './json-text.ts';
import { invalid, NoText } from '../grammar/network.ts';
import { otherNames } from './other-names.ts';
import { namesByPatterns, patternsOf } from './pattern-names.ts';
import { allPossible, possible } from './possible.ts';
import { membersOf } from './schema-members.ts';
import { namesOf } from './schema-names.ts';
import { overlapping } from './schema-apart.ts';
import { SchemaCases } from './schema-cases.ts';
import { checkDistinct, CLOSE } from './schema-distinct.ts';
import type { Bracket, Brackets } from './schema-distinct.ts';
import { countedItems, isCounted, listedItems } from './schema-items.ts';
import { CONDITIONS, isNote, refuseUnknown } from './schema-keywords.ts';
import { numbersOf } from './schema-numbers.ts';
import { listedValues } from './schema-values.ts';
import { SchemaParts } from './schema-parts.ts';
import { withPointers } from './schema-references.ts';
import { SchemaStrings } from './schema-strings.ts';
import { countOf, isObject, itemsOf, listOf, NOTES, nothing, propertiesOf, requiredOf, resolve, schemaOf, typesOf, wrong } from './schema-source.ts';
import type { ObjectSchema, Schema, Type } from './schema-source.ts';

/** What is not written yet, or cannot be. */
const NO_TEXT = choice();
const MOST_DEPTH = 64;
/** Schemas in a schema, those that are put together anew for each place counted at each. */
const MOST_PLACES = 20_000;
const MOST_ITEMS = 10_000;

/** Throws EngineError `constraint_invalid` that names the place in the schema and the keyword. */
export function schemaGrammar(schema: unknown): Grammar {
  return new Writer(withPointers(schema)).grammar();
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
  /** Of items that may come once, each value is written in one way. */
  readonly #isOnce: boolean;
  #onceWriter: Writer | undefined;
  readonly #brackets: Brackets = new WeakMap();
  #places = 0;

  /** `once`: each value in one way. */
  constructor(schema: unknown, once = false) {
    this.#whole = schema;
    this.#isOnce = once;
    for (const kind of ['object', 'array'] as const) this.#brackets.set(this.#rules.get(`json-${kind}`) as Expression, { kind: 'endless', of: kind });
    if (once) this.#rules.set('json-number', numbersOf('number', {}, '#', this.#common, once));
    this.#parts = new SchemaParts(schema);
    this.#cases = new SchemaCases(schema, this.#parts);
  }
  grammar(): Grammar {
    const root = this.#any(schemaOf(this.#whole, '#'), '#', 0);
    if (this.#onceWriter) for (const [name, written] of replaced({ root: NO_TEXT, rules: this.#onceWriter.#rules }, onceName, CLOSE).rules) this.#rules.set(name, written);
    return { root, rules: this.#rules };
  }

  #any(schema: Schema, at: string, depth: number): Expression {
    if (depth > MOST_DEPTH) throw invalid(`the schema is nested more than ${MOST_DEPTH} deep at ${at}`);
    if (++this.#places > MOST_PLACES) throw invalid(`the schema is too large: written out, it has more than ${MOST_PLACES} places; give allOf, and what stands beside anyOf and oneOf, fewer schemas to be put together with`);
    if (schema === true) return rule('json');
    if (schema === false) throw new NoText(`the schema at ${at} is false, or says not: {}; nothing is valid there`);
    refuseUnknown(schema, at);
    if (this.#cases.isConditional(schema, at)) return this.#once(schema, at, () => this.#inCases(schema, at, depth));
    const isShared = this.#repeated.has(schema) && ['allOf', 'anyOf', 'oneOf'].every((key) => schema[key] === undefined);
    return isShared ? this.#once(schema, at, () => this.#one(schema, at, depth)) : this.#one(schema, at, depth);
  }
  /** Undefined where nothing is valid. */
  #possible(schema: Schema, at: string, depth: number): Expression | undefined {
    return possible(() => this.#any(schema, at, depth + 1));
  }
  /** Without conditions. */
  #one(schema: ObjectSchema, at: string, depth: number): Expression {
    if (schema['$ref'] !== undefined) return this.#reference(schema, at, depth);
    if (schema['allOf'] !== undefined) return this.#once(schema, at, () => this.#all(schema, at, depth));
    for (const keyword of ['anyOf', 'oneOf'] as const) if (schema[keyword] !== undefined) return this.#alternatives(schema, keyword, at, depth);
    if ('const' in schema || schema['enum'] !== undefined) return listedValues(schema, at, MOST_DEPTH, this.#isOnce);
    return choiceOf(allPossible(typesOf(schema, at), (type) => this.#typed(type, schema, at, depth)));
  }
  #inCases(schema: ObjectSchema, at: string, depth: number): Expression {
    const cases = this.#cases.of(schema, at);
    if (cases.length === 0) throw nothing(at, [...CONDITIONS, 'oneOf'].find((key) => schema[key] !== undefined) ?? 'allOf', 'leaves nothing that is valid');
    for (const each of cases) for (const part of [...Object.values(propertiesOf(each, at)), each['items']]) if (isObject(part)) this.#repeated.add(part);
    return choiceOf(allPossible(cases, (each) => this.#any(each, at, depth + 1)));
  }
  #once(schema: ObjectSchema, at: string, write: () => Expression): Expression {
    let name = this.#written.get(schema);
    if (name === undefined) {
      name = `${at} ${this.#rules.size}`;
      this.#written.set(schema, name);
      // It may call itself; and its name is taken at once.
      this.#rules.set(name, NO_TEXT);
      this.#rules.set(name, write());
    }
    return rule(name);
  }

  #reference(schema: ObjectSchema, at: string, depth: number): Expression {
    const { $ref: target, ...beside } = schema;
    // Earlier drafts take no notice of what stands beside a reference: what is valid by both is valid for them, too.
    if (Object.keys(beside).some((key) => !isNote(key))) return this.#once(schema, at, () => this.#any(this.#parts.both({ $ref: target }, beside), at, depth + 1));
    const found = resolve(this.#whole, target, at);
    const place = String(target);
    let name = this.#references.get(place);
    if (name === undefined) {
      name = `ref ${place}`;
      this.#references.set(place, name);
      this.#rules.set(name, NO_TEXT);
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
    if (merged === false) throw nothing(at, 'allOf', 'holds false: nothing is valid');
    return this.#any(merged, at, depth + 1);
  }
  #alternatives(schema: ObjectSchema, keyword: 'anyOf' | 'oneOf', at: string, depth: number): Expression {
    const { [keyword]: given, ...beside } = schema;
    const constrains = Object.keys(beside).some((key) => !NOTES.has(key));
    const items = listOf(given, at, keyword).map((item, i) => {
      const place = `${at}/${keyword}/${i}`;
      const each = schemaOf(item, place);
      return { place, schema: constrains ? this.#parts.mergedIfPossible({ ...beside, allOf: [each] }, place) : each };
    });
    const overlap = keyword === 'oneOf' ? overlapping(this.#whole, items.map((item) => item.schema), at) : undefined;
    if (overlap) return this.#once(schema, at, () => this.#apart(schema, overlap, at, depth));
    const open = items.filter((item) => item.schema !== false);
    if (open.length === 0) throw nothing(at, keyword, 'has no alternative by which anything is valid');
    const write = (): Expression => choiceOf(allPossible(open, (item) => this.#any(item.schema, item.place, depth + 1)));
    return constrains ? this.#once(schema, at, write) : write();
  }

  /** Alternatives of which one value may fit several: of each, what does not fit the others. */
  #apart(schema: ObjectSchema, [one, other]: readonly [number, number], at: string, depth: number): Expression {
    try {
      return this.#inCases(schema, at, depth);
    } catch (error) {
      if (!(error instanceof EngineError) || error instanceof NoText) throw error;
      throw invalid(`${error.message} (the oneOf at ${at} has alternatives ${one} and ${other} that one value may both fit; use anyOf, or give them another type or a required property with other constants)`);
    }
  }

  #typed(type: Type, schema: ObjectSchema, at: string, depth: number): Expression {
    switch (type) {
      case 'null':
        return literal('null');
      case 'boolean':
        return choice(literal('true'), literal('false'));
      case 'integer':
      case 'number':
        return numbersOf(type, schema, at, this.#common, this.#isOnce);
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

  #array(schema: ObjectSchema, at: string, depth: number): Expression {
    const least = countOf(schema, at, 'minItems', 0);
    const most = countOf(schema, at, 'maxItems', Infinity);
    if (most < least) throw nothing(at, 'minItems', 'is greater than maxItems');
    if (least > MOST_ITEMS) throw wrong(at, 'minItems', `is more than ${MOST_ITEMS}`);
    const { firsts, after } = itemsOf(schema, at);
    const isUnique = schema['uniqueItems'] === true && Math.min(most, after === false ? firsts.length : Infinity) > 1;
    if (isUnique || isCounted(schema)) {
      const among = { firsts, after, least, most, at, cases: this.#cases };
      if (isUnique && isCounted(schema)) throw wrong(at, 'contains', 'beside uniqueItems is not supported');
      const write = (item: Schema, place: string): Expression | undefined => {
        const written = this.#possible(item, place, depth);
        return written && this.#shared(written, at);
      };
      const inside = isUnique ? listedItems(among) : countedItems(among, schema, schemaOf(schema['contains'], `${at}/contains`), write);
      if (!inside) return this.#distinct(after, { least, most, at }, depth);
      return this.#bracketed(sequence(literal('['), inside, literal(']')), { kind: 'bounded', of: 'array' });
    }
    const all = firsts.slice(0, most).map((item, i) => this.#possible(item, `${at}/prefixItems/${i}`, depth));
    const first = all.slice(0, all.includes(undefined) ? all.indexOf(undefined) : all.length) as readonly Expression[];
    const rest = first.length < all.length || most <= first.length ? undefined : this.#possible(after, `${at}/items`, depth);
    if (!rest && least > first.length) throw nothing(at, 'minItems', 'asks for more items than the schema allows');
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
    return this.#bracketed(sequence(literal('['), inner, literal(']')), { kind: rest && most === Infinity ? 'endless' : 'bounded', of: 'array' });
  }
  /** Items of free values of which no two are equal. */
  #distinct(item: Schema, { least, most, at }: { readonly least: number; readonly most: number; readonly at: string }, depth: number): Expression {
    if (this.#isOnce) throw wrong(at, 'uniqueItems', 'inside the items of another uniqueItems is not supported');
    const writer = (this.#onceWriter ??= new Writer(this.#whole, true));
    const root = writer.#any(item, `${at}/items`, depth + 1);
    checkDistinct({ root, rules: writer.#rules }, writer.#brackets, least, at);
    const name = `item ${writer.#rules.size}`;
    writer.#rules.set(name, root);
    const one = rule(onceName(name));
    const all = sequence(one, repeat(sequence(COMMA, one), Math.max(0, least - 1), most - 1));
    return { kind: 'distinct', inside: least > 0 ? all : choice(all, NOTHING) };
  }
  #bracketed(expression: Expression, bracket: Bracket): Expression {
    this.#brackets.set(expression, bracket);
    return expression;
  }

  #object(schema: ObjectSchema, at: string, depth: number): Expression {
    const required = requiredOf(schema, at);
    const named = namesOf(schema, at, this.#whole, this.#strings);
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
      const value = [...own, ...matched].reduce((all, each) => this.#parts.both(all, each), true);
      const written = needed ? this.#any(value, place, depth + 1) : this.#possible(value, place, depth);
      return written ? [{ needed, member: sequence(literal(JSON.stringify(name)), COLON, written) }] : [];
    });
    const [least, most] = [countOf(schema, at, 'minProperties', 0), countOf(schema, at, 'maxProperties', Infinity)];
    // What the schema does not speak of is left out where it names enough properties; an object of which nothing is said may hold anything.
    const open = extra ?? (patterns.length === 0 && (names.length === 0 || members.length < least));
    if (named.written && names.length > 0) throw wrong(at, 'propertyNames', 'beside properties is supported where it lists the names');
    if (patterns.length > 0 && schema['propertyNames'] !== undefined) throw wrong(at, 'patternProperties', 'beside propertyNames is not supported');
    const write = (name: () => Expression, value: Schema, place: string): readonly Expression[] => {
      const written = this.#possible(value, `${at}/${place}`, depth);
      const named = written && possible(name);
      return named ? [sequence(named, COLON, written)] : [];
    };
    const other =
      patterns.length > 0
        ? namesByPatterns(patterns, names, open, at, (a, b) => this.#parts.both(a, b)).flatMap(({ pattern, schema: value }) => write(() => this.#strings.write({ pattern }, at), value, 'patternProperties'))
        : write(() => named.written ?? quoted(otherNames(names, at)), open, 'additionalProperties');
    const others = other.length > 0 ? choiceOf(other) : undefined;
    const needed = members.filter((member) => member.needed).length;
    if (most < needed) throw nothing(at, 'maxProperties', 'is less than the properties that are required');
    const counted = { least: least > needed ? least : 0, most: !others && most >= members.length ? Infinity : most };
    const written = sequence(literal('{'), membersOf(members, others, { ...counted, at, share: (expression) => this.#shared(expression, at) }), literal('}'));
    // Only where any name will do, there is always another one.
    const isEndless = most === Infinity && patterns.length === 0 && !named.written;
    return this.#bracketed(written, others ? { kind: isEndless ? 'endless' : 'bounded', of: 'object' } : { kind: 'members', names });
  }
  /** Named in several places, or one of very many inside each other. */
  #shared(expression: Expression, at: string): Expression {
    const name = `part ${this.#rules.size} of ${at}`;
    this.#rules.set(name, expression);
    return rule(name);
  }
}

const onceName = (name: string): string => `once ${name}`;
