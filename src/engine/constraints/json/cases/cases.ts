// Owns taking a schema apart into cases of one type each, in which nothing is conditional: `not`, `if`, `dependentRequired`, `unevaluatedProperties` and their like are put into the other keywords.
// Refuses to guess: what the other keywords cannot say is an error that names the keyword.

import { isStep } from '../texts/json-multiples.ts';
import { BY_TYPE, CONDITIONS, isNote, refuseUnknown, UNEVALUATED } from '../reading/keywords.ts';
import { BESIDE, brokenContains, brokenItems, brokenNames } from './broken.ts';
import { noMatch } from '../reading/pattern-names.ts';
import { excluding, excludingStep, forbidding, isPossible, isWithin, keysOf, kindsOf, notOfTypes, ofTypes, requiring, validBeside, valueOf, valued, written } from './case.ts';
import type { Case } from './case.ts';
import { boundItems, boundProperties, EVALUATED, evaluatedBy, evaluatedByBoth, isNoMore, NOTHING_EVALUATED, saidOfOthers } from './evaluated.ts';
import type { SchemaParts } from './parts.ts';
import { CaseWork, few } from './work.ts';
import { behindReferences, boundOf, canonical, isObject, listOf, propertiesOf, requiredOf, resolve, schemaOf, TYPES, typesOf, wrong } from '../reading/source.ts';
import type { ObjectSchema, Schema, Type } from '../reading/source.ts';

/** What is not so many or so much is this keyword's bound, moved. */
const OPPOSITES: Readonly<Record<string, readonly [keyword: string, by: number]>> = {
  minimum: ['exclusiveMaximum', 0],
  maximum: ['exclusiveMinimum', 0],
  exclusiveMinimum: ['maximum', 0],
  exclusiveMaximum: ['minimum', 0],
  minLength: ['maxLength', -1],
  maxLength: ['minLength', 1],
  minItems: ['maxItems', -1],
  maxItems: ['minItems', 1],
  minProperties: ['maxProperties', -1],
  maxProperties: ['minProperties', 1],
};
/** They are about the same items, and each of them is looked at with the others. */
const LISTED = ['prefixItems', 'items', 'additionalItems'];
const ANY: readonly Case[] = TYPES.filter((type) => type !== 'integer').map((type) => ({ type }));
const valuesOf = (schema: ObjectSchema, keyword: 'const' | 'enum', at: string): readonly unknown[] => (keyword === 'const' ? [schema['const']] : listOf(schema['enum'], at, 'enum'));

export class SchemaCases {
  readonly #whole: unknown;
  readonly #parts: SchemaParts;
  readonly #conditional = new Map<ObjectSchema, boolean>();
  readonly #containsCounts: boolean;
  readonly #work = new CaseWork();
  /** What a case has not spoken of is spoken of nowhere. */
  #isExact = false;

  /** `whole`: where references lead. */
  constructor(whole: unknown, parts: SchemaParts) {
    this.#whole = whole;
    this.#parts = parts;
    this.#containsCounts = !(isObject(whole) && typeof whole['$schema'] === 'string' && whole['$schema'].includes('2019-09'));
  }
  /** Whether a schema, or what is put together with it, holds a condition. */
  isConditional(schema: ObjectSchema, at: string): boolean {
    const known = this.#conditional.get(schema);
    if (known !== undefined) return known;
    this.#conditional.set(schema, false);
    const alternatives = ['anyOf', 'oneOf'].filter((keyword) => schema[keyword] !== undefined && Object.keys(schema).some((key) => key !== keyword && !isNote(key)));
    const found =
      CONDITIONS.some((key) => schema[key] !== undefined) ||
      ['allOf', ...alternatives].some((keyword) => {
        const items = schema[keyword];
        return Array.isArray(items) && items.some((item, i) => [item, isObject(item) ? behindReferences(this.#whole, item, `${at}/${keyword}/${i}`) : item].some((each) => isObject(each) && this.isConditional(each, `${at}/${keyword}/${i}`)));
      });
    this.#conditional.set(schema, found);
    return found;
  }
  /** One of which each valid value is valid by. Throws EngineError `constraint_invalid`. */
  of(schema: Schema, at: string): readonly Case[] {
    const cases = this.#with(ANY, schema, at).map((each) => written(each, at));
    // What a case of numbers still leaves out is written as it stands.
    for (const each of cases) this.#conditional.set(each, false);
    return cases;
  }
  /** What is valid by both. */
  both(schema: Schema, other: Schema, at: string): Schema {
    if (schema === false || other === false) return false;
    if (other === true || schema === other) return schema;
    if (schema === true) return other;
    const [one, another] = [canonical(schema), canonical(other)];
    this.#work.spendCharacters(one.length + another.length, at);
    return one === another ? schema : together(this.#with(this.#with(ANY, schema, at), other, at));
  }
  /** What is valid by the first and not by the other. */
  without(schema: Schema, other: Schema, at: string): Schema {
    return other === false ? schema : together(this.#without(this.#with(ANY, schema, at), other, at));
  }

  #with(cases: readonly Case[], schema: Schema, at: string): readonly Case[] {
    if (schema === true || cases.length === 0) return cases;
    if (schema === false) return [];
    refuseUnknown(schema, at);
    const isBinding = UNEVALUATED.some((key) => schema[key] !== undefined);
    return this.#work.counted(cases, schema, at, () => (isBinding ? few(cases.flatMap((each) => this.#bound(each, schema, at)), at, 'unevaluatedProperties') : this.#open(cases, schema, at)));
  }
  #open(cases: readonly Case[], schema: ObjectSchema, at: string): readonly Case[] {
    return this.#conditions(cases.flatMap((each) => this.#plain(each, schema, at)), schema, at);
  }
  /** By a schema that binds properties or items of which neither it nor what is put together in it speaks. */
  #bound({ [EVALUATED]: before, ...given }: Case, schema: ObjectSchema, at: string): readonly Case[] {
    const [names, items] = UNEVALUATED.map((key) => schemaOf(schema[key] ?? true, `${at}/${key}`));
    const both = (a: Schema, b: Schema): Schema => this.both(a, b, at);
    return this.#open([{ ...given, [EVALUATED]: NOTHING_EVALUATED }], schema, at).flatMap(({ [EVALUATED]: inner = NOTHING_EVALUATED, ...found }): readonly Case[] => {
      const kinds = kindsOf(found);
      const [ofNames, ofItems] = [schema['unevaluatedProperties'] !== undefined && kinds.includes('object'), schema['unevaluatedItems'] !== undefined && kinds.includes('array')];
      if (found['enum'] !== undefined && (ofNames || ofItems)) throw wrong(at, UNEVALUATED[ofNames ? 0 : 1], 'beside const or enum is not supported; leave out the values that it forbids');
      const result = ofNames ? boundProperties(found, inner, names, at, both) : ofItems ? boundItems(found, inner, items, at, both) : found;
      if (!isPossible(result, at)) return [];
      return [before ? { ...result, [EVALUATED]: evaluatedByBoth(before, { ...inner, others: inner.others || ofNames, rest: inner.rest || ofItems }) } : result];
    });
  }
  /** Without what is conditional or put together. */
  #plain(given: Case, schema: ObjectSchema, at: string): readonly Case[] {
    const typed = schema['type'] === undefined ? given : ofTypes(given, typesOf(schema, at));
    if (!typed) return [];
    const listed = (['const', 'enum'] as const).filter((keyword) => keyword === 'const' ? 'const' in schema : schema[keyword] !== undefined);
    const narrowed = listed.reduce<Case | undefined>((found, keyword) => found && this.#listed(found, valuesOf(schema, keyword, at), keyword, at), typed);
    if (!narrowed) return [];
    const own = [...new Set(kindsOf(narrowed).flatMap((type) => BY_TYPE[type]))].filter((key) => schema[key] !== undefined);
    if (own.length === 0) return [narrowed];
    if (Array.isArray(narrowed['enum'])) {
      const valid = validBeside(narrowed['enum'], schema, at);
      return valid.length > 0 ? [{ enum: valid }] : [];
    }
    const more = Object.fromEntries(own.map((key) => [key, schema[key]]));
    let result: Schema;
    if (Object.keys(narrowed).length === 1) result = { ...narrowed, ...more };
    else if (own.every((key) => key === 'properties' || key === 'required')) {
      result = narrowed;
      for (const [name, value] of Object.entries(propertiesOf(more, at))) {
        const place = `${at}/properties/${name}`;
        result = valued(result, name, this.both(valueOf(result, name, at), schemaOf(value, place), place), at);
      }
      result = requiring(result, requiredOf(more, at), at);
    } else result = this.#parts.mergedIfPossible({ allOf: [narrowed, more] }, at);
    if (typeof result !== 'object' || !isPossible(result, at)) return [];
    const before = given[EVALUATED];
    return [before ? { ...result, [EVALUATED]: evaluatedByBoth(before, evaluatedBy(schema, at, this.#containsCounts)) } : result];
  }
  #listed(given: Case, values: readonly unknown[], keyword: string, at: string): Case | undefined {
    const { enum: own, type } = given;
    const keys = keysOf(values);
    const fitting = Array.isArray(own) ? own.filter((each) => keys.has(canonical(each))) : values.filter((value) => kindsOf({ enum: [value] }).includes(type as Type) && isWithin(value, given, keyword, at));
    return fitting.length > 0 ? { enum: fitting } : undefined;
  }
  #conditions(cases: readonly Case[], schema: ObjectSchema, at: string): readonly Case[] {
    let found = cases;
    const list = (keyword: string): readonly (readonly [Schema, string])[] => (schema[keyword] === undefined ? [] : listOf(schema[keyword], at, keyword).map((item, i) => [schemaOf(item, `${at}/${keyword}/${i}`), `${at}/${keyword}/${i}`]));
    if (schema['$ref'] !== undefined) found = this.#with(found, resolve(this.#whole, schema['$ref'], at), at);
    for (const [item, place] of list('allOf')) found = this.#with(found, item, place);
    const [some, one] = [list('anyOf'), list('oneOf')];
    if (some.length > 0) found = few(found.flatMap((each) => (each[EVALUATED] ? this.#some(each, some, at) : some.flatMap(([item, place]) => this.#with([each], item, place)))), at, 'anyOf');
    if (one.length > 0)
      found = few(one.flatMap(([item, place]) => one.reduce((left, [other, there]) => (other === item && there === place ? left : this.#without(left, other, there)), this.#with(found, item, place))), at, 'oneOf');
    if (schema['not'] !== undefined) found = few(this.#without(found, schemaOf(schema['not'], `${at}/not`), `${at}/not`), at, 'not');
    // By itself, what it asks only speaks of properties and items.
    const isAsked = ['then', 'else'].some((key) => schema[key] !== undefined) || found.some((each) => each[EVALUATED]);
    if (schema['if'] !== undefined && isAsked) found = this.#either(found, schemaOf(schema['if'], `${at}/if`), { met: schemaOf(schema['then'] ?? true, `${at}/then`), unmet: schemaOf(schema['else'] ?? true, `${at}/else`) }, at, 'if');
    for (const keyword of ['dependentRequired', 'dependentSchemas', 'dependencies']) {
      const given = schema[keyword] ?? {};
      if (!isObject(given)) throw wrong(at, keyword, 'must be an object');
      for (const [name, asked] of Object.entries(given)) {
        const place = `${at}/${keyword}/${name}`;
        const then = keyword !== 'dependentSchemas' && (keyword === 'dependentRequired' || Array.isArray(asked)) ? { required: requiredOf({ required: asked }, place) } : schemaOf(asked, place);
        found = this.#either(found, { type: 'object', required: [name] }, { met: then, unmet: true }, at, keyword);
      }
    }
    return found;
  }
  /** Of each set of alternatives what is valid by all of the set: what they speak of together may not be bound by others. */
  #some(given: Case, items: readonly (readonly [Schema, string])[], at: string): readonly Case[] {
    const found: Case[] = [];
    const isExact = this.#isExact;
    const add = (each: Case, set: readonly number[]): void => {
      for (const [i, [item, place]] of items.entries())
        if (i > (set.at(-1) ?? -1))
          for (const next of this.#with([each], item, place)) {
            const [before, after] = [each[EVALUATED], next[EVALUATED]];
            // Beside others, one that speaks of nothing more is no case of its own.
            if (!isExact && each !== given && before && after && isNoMore(after, before)) continue;
            const inside = [...set, i];
            found.push(...(isExact ? items.reduce<readonly Case[]>((left, [other, there], j) => (inside.includes(j) ? left : this.#without(left, other, there)), [next]) : [next]));
            few(found, at, 'anyOf');
            add(next, inside);
          }
    };
    add(given, []);
    return found;
  }
  #either(cases: readonly Case[], condition: Schema, { met, unmet }: { readonly met: Schema; readonly unmet: Schema }, at: string, keyword: string): readonly Case[] {
    const holding = this.#with(this.#with(cases, condition, `${at}/${keyword}`), met, `${at}/then`);
    return few([...holding, ...this.#with(this.#without(cases, condition, `${at}/${keyword}`), unmet, `${at}/else`)], at, keyword);
  }

  #without(cases: readonly Case[], schema: Schema, at: string): readonly Case[] {
    if (schema === true) return [];
    if (schema === false) return cases;
    refuseUnknown(schema, at);
    return this.#work.counted(cases, schema, at, () => {
      const found = cases.flatMap((each) => {
        const { [EVALUATED]: before } = each;
        const broken = Object.keys(schema).flatMap((keyword) => this.#breaking(each, keyword, schema, at));
        // What is not valid by a schema has not been spoken of by it.
        return before ? broken.map((one) => ({ ...one, [EVALUATED]: before })) : broken;
      });
      return few(found, at, 'not');
    });
  }
  /** What one keyword of a schema makes invalid. */
  #breaking(given: Case, keyword: string, schema: ObjectSchema, at: string): readonly Case[] {
    if (isNote(keyword)) return [];
    const items = (): readonly Schema[] => listOf(schema[keyword], at, keyword).map((item, i) => schemaOf(item, `${at}/${keyword}/${i}`));
    switch (keyword) {
      case 'type':
        return notOfTypes(given, typesOf(schema, at));
      case 'const':
      case 'enum':
        return excluding(given, valuesOf(schema, keyword, at), at);
      case 'not':
        return this.#with([given], schemaOf(schema['not'], `${at}/not`), `${at}/not`);
      case '$ref':
        return this.#without([given], resolve(this.#whole, schema['$ref'], at), at);
      case 'allOf':
        return items().flatMap((item) => this.#without([given], item, `${at}/allOf`));
      case 'anyOf':
        return items().reduce<readonly Case[]>((left, item) => this.#without(left, item, `${at}/anyOf`), [given]);
      case 'oneOf': {
        const pairs = items().flatMap((one, i) => items().slice(i + 1).flatMap((other) => this.#with(this.#with([given], one, `${at}/oneOf`), other, `${at}/oneOf`)));
        return [...items().reduce<readonly Case[]>((left, item) => this.#without(left, item, `${at}/oneOf`), [given]), ...pairs];
      }
      case 'if': {
        const [condition, met, unmet] = ['if', 'then', 'else'].map((key) => schemaOf(schema[key] ?? true, `${at}/${key}`));
        return [...this.#without(this.#with([given], condition, at), met, `${at}/then`), ...this.#without(this.#without([given], condition, at), unmet, `${at}/else`)];
      }
      case 'then':
      case 'else':
        return [];
      case 'unevaluatedProperties':
      case 'unevaluatedItems':
        return this.#unspoken(given, keyword, schema, at);
      default:
        break;
    }
    const about = TYPES.filter((type) => BY_TYPE[type].includes(keyword));
    if (about.length > 0 && !kindsOf(given).some((type) => about.includes(type))) return [];
    if (given['enum'] === undefined) {
      const without = (one: Schema, other: Schema, place: string): Schema => this.without(one, other, place);
      if (keyword === 'multipleOf' && isStep(boundOf(schema, at, keyword))) return [excludingStep(given, boundOf(schema, at, keyword) ?? 1)].filter((each) => isPossible(each, at));
      if (keyword === 'pattern' && typeof schema[keyword] === 'string') return this.#plain(given, { pattern: noMatch(schema[keyword]) }, at);
      if (LISTED.includes(keyword)) return LISTED.find((key) => schema[key] !== undefined) === keyword ? brokenItems(given, schema, at, without) : [];
      if (keyword === 'contains') return brokenContains(given, schema, at, without);
      if (keyword === 'minContains' || keyword === 'maxContains') return [];
      if (keyword === 'patternProperties' || keyword === 'additionalProperties') return brokenNames(given, keyword, schema, at, without);
      if (keyword === 'required') return requiredOf(schema, at).map((name) => forbidding(given, name, at)).filter((each) => isPossible(each, at));
      if (keyword === 'properties')
        return Object.entries(propertiesOf(schema, at)).flatMap(([name, value]) => {
          const place = `${at}/properties/${name}`;
          const other = this.without(valueOf(given, name, at), schemaOf(value, place), place);
          const result = requiring(valued(given, name, other, at), [name], at);
          return isPossible(result, at) ? [result] : [];
        });
      const opposite = OPPOSITES[keyword];
      const bound = opposite && boundOf(schema, at, keyword);
      if (opposite && bound !== undefined) {
        const [bounding, by] = opposite;
        // Nothing has fewer than none.
        return by < 0 && bound <= 0 ? [] : this.#plain(given, { [bounding]: bound + by }, at);
      }
    }
    if (Array.isArray(given['enum']) && keyword !== 'format') {
      const valid = new Set(validBeside(given['enum'], { [keyword]: schema[keyword] }, at));
      const broken = given['enum'].filter((value) => !valid.has(value));
      return broken.length > 0 ? [{ enum: broken }] : [];
    }
    throw wrong(at, keyword, `${BESIDE}; leave it out`);
  }
  /** What is valid by all else that a schema says, and not by what it says of properties, or items, that nothing speaks of. */
  #unspoken(given: Case, keyword: 'unevaluatedProperties' | 'unevaluatedItems', schema: ObjectSchema, at: string): readonly Case[] {
    const bound = schemaOf(schema[keyword], `${at}/${keyword}`);
    if (bound === true) return [];
    const before = this.#isExact;
    this.#isExact = true;
    try {
      return this.#open([{ ...given, [EVALUATED]: NOTHING_EVALUATED }], schema, at).flatMap(({ [EVALUATED]: spoken = NOTHING_EVALUATED, ...found }) => {
        const said = saidOfOthers(keyword, spoken, bound);
        return said ? this.#breaking(found, keyword === 'unevaluatedProperties' ? 'additionalProperties' : 'prefixItems', said, at) : [];
      });
    } finally {
      this.#isExact = before;
    }
  }
}

const together = (cases: readonly Case[]): Schema => (cases.length === 0 ? false : cases.length === 1 ? cases[0] : { anyOf: cases });
