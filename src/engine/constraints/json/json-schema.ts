// Owns turning a JSON Schema into a grammar of which every text is valid by it: the order in which what a schema says is looked at, and the limits of all of it.
// Refuses what it cannot promise: a keyword that is not supported is an error that names it. Valid texts exist that it does not write: extra properties where the schema does not speak of them, unusual gaps.
//
// `reading`: what was given, and where references lead. `cases`: what is said in several parts is put together, and conditions are taken apart. `writing`: values of one type, as expressions.
// `texts`: how JSON is written, whatever a schema says.

import { EngineError } from '../../port.ts';
import { CommonTexts } from '../grammar/common-texts.ts';
import { choice, choiceOf, literal, replaced, rule } from '../grammar/expression.ts';
import type { Expression, Grammar } from '../grammar/expression.ts';
import { invalid, NoText } from '../grammar/network.ts';
import { overlapping } from './cases/apart.ts';
import { SchemaCases } from './cases/cases.ts';
import { SchemaParts } from './cases/parts.ts';
import { CONDITIONS, isNote, refuseUnknown } from './reading/keywords.ts';
import { inUsualWords } from './reading/other-words.ts';
import { withPointers } from './reading/references.ts';
import { isObject, listOf, nothing, propertiesOf, resolve, schemaOf, typesOf, wrong } from './reading/source.ts';
import type { ObjectSchema, Schema, Type } from './reading/source.ts';
import { anyValue } from './texts/json-text.ts';
import { arrayOf } from './writing/arrays.ts';
import { checkDistinct, checkNames, CLOSE } from './writing/distinct.ts';
import type { Brackets } from './writing/distinct.ts';
import type { Inner } from './writing/inner.ts';
import { numbersOf } from './writing/numbers.ts';
import { objectOf } from './writing/objects.ts';
import { allPossible, possible } from './writing/possible.ts';
import { SchemaStrings } from './writing/strings.ts';
import { listedValues } from './writing/values.ts';

/** What is not written yet, or cannot be. */
const NO_TEXT = choice();
const MOST_DEPTH = 64;
/** Schemas in a schema, those that are put together anew for each place counted at each. */
const MOST_PLACES = 20_000;

/** Throws EngineError `constraint_invalid` that names the place in the schema and the keyword. */
export function schemaGrammar(schema: unknown): Grammar {
  return new Writer(withPointers(inUsualWords(schema))).grammar();
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
  /** Objects of which no two names are equal, and where they are. */
  readonly #named: (readonly [object: Expression, at: string])[] = [];
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
    for (const [object, at] of this.#named) checkNames(object, { root, rules: this.#rules }, at);
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
    return isShared ? this.#once(schema, at, () => this.#plain(schema, at, depth)) : this.#plain(schema, at, depth);
  }
  /** Without conditions. */
  #plain(schema: ObjectSchema, at: string, depth: number): Expression {
    if (schema['$ref'] !== undefined) return this.#reference(schema, at, depth);
    if (schema['allOf'] !== undefined) return this.#once(schema, at, () => this.#together(schema, at, depth));
    if (schema['anyOf'] !== undefined) return this.#alternatives(schema, 'anyOf', at, depth);
    if (schema['oneOf'] !== undefined) return this.#alternatives(schema, 'oneOf', at, depth);
    if ('const' in schema || schema['enum'] !== undefined) return listedValues(schema, at, MOST_DEPTH, this.#isOnce);
    return choiceOf(allPossible(typesOf(schema, at), (type) => this.#typed(type, schema, at, depth)));
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
        return arrayOf(schema, at, this.#inner(depth));
      case 'object':
        return objectOf(schema, at, this.#inner(depth));
      default:
        return type satisfies never;
    }
  }

  #inCases(schema: ObjectSchema, at: string, depth: number): Expression {
    const cases = this.#cases.of(schema, at);
    if (cases.length === 0) throw nothing(at, [...CONDITIONS, 'oneOf'].find((key) => schema[key] !== undefined) ?? 'allOf', 'leaves nothing that is valid');
    for (const each of cases) for (const part of [...Object.values(propertiesOf(each, at)), each['items']]) if (isObject(part)) this.#repeated.add(part);
    return choiceOf(allPossible(cases, (each) => this.#any(each, at, depth + 1)));
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
  #together(schema: ObjectSchema, at: string, depth: number): Expression {
    const { allOf, ...beside } = schema;
    const [only, ...others] = listOf(allOf, at, 'allOf');
    const alone = (part: object): boolean => Object.keys(part).every((key) => isNote(key) || key === '$ref');
    // A reference alone is no other than the schema that it leads to.
    if (others.length === 0 && alone({ ...beside, ...Object(only) })) return this.#any(schemaOf(only, `${at}/allOf/0`), `${at}/allOf/0`, depth + 1);
    const merged = this.#parts.merged(schema, at);
    if (merged === false) throw nothing(at, 'allOf', 'holds false: nothing is valid');
    return this.#any(merged, at, depth + 1);
  }
  #alternatives(schema: ObjectSchema, keyword: 'anyOf' | 'oneOf', at: string, depth: number): Expression {
    const { [keyword]: given, ...beside } = schema;
    const constrains = Object.keys(beside).some((key) => !isNote(key));
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

  #inner(depth: number): Inner {
    const write = (schema: Schema, at: string): Expression => this.#any(schema, at, depth + 1);
    return {
      whole: this.#whole,
      parts: this.#parts,
      cases: this.#cases,
      strings: this.#strings,
      write,
      possible: (schema, at) => possible(() => write(schema, at)),
      distinct: (item, least, at) => this.#distinct(item, least, at, depth),
      distinctNames: (expression, at) => {
        this.#named.push([expression, at]);
        return expression;
      },
      shared: (expression, at) => {
        const name = `part ${this.#rules.size} of ${at}`;
        this.#rules.set(name, expression);
        return rule(name);
      },
      bracketed: (expression, bracket) => {
        this.#brackets.set(expression, bracket);
        return expression;
      },
    };
  }
  #distinct(item: Schema, least: number, at: string, depth: number): Expression {
    if (this.#isOnce) throw wrong(at, 'uniqueItems', 'inside the items of another uniqueItems is not supported');
    const writer = (this.#onceWriter ??= new Writer(this.#whole, true));
    const root = writer.#any(item, `${at}/items`, depth + 1);
    checkDistinct({ root, rules: writer.#rules }, writer.#brackets, least, at);
    const name = `item ${writer.#rules.size}`;
    writer.#rules.set(name, root);
    return rule(onceName(name));
  }
  /** As a rule of its own, which may call itself. */
  #once(schema: ObjectSchema, at: string, write: () => Expression): Expression {
    let name = this.#written.get(schema);
    if (name === undefined) {
      name = `${at} ${this.#rules.size}`;
      this.#written.set(schema, name);
      // Its name is taken at once.
      this.#rules.set(name, NO_TEXT);
      this.#rules.set(name, write());
    }
    return rule(name);
  }
}

const onceName = (name: string): string => `once ${name}`;
