// Owns taking a schema apart into cases of one type each, in which nothing is conditional: `not`, `if`, `dependentRequired` and their like are put into the other keywords.
// Refuses to guess: what the other keywords cannot say is an error that names the keyword.

import { BY_TYPE, CONDITIONS, isNote, refuseUnknown } from './schema-keywords.ts';
import { excluding, forbidding, isPossible, isWithin, keysOf, kindsOf, requiring, sizeOf, valueOf, valued, written } from './schema-case.ts';
import type { Case } from './schema-case.ts';
import type { SchemaParts } from './schema-parts.ts';
import { behindReferences, boundOf, canonical, isObject, listOf, NOTES, propertiesOf, requiredOf, resolve, schemaOf, TYPES, typesOf, wrong } from './schema-source.ts';
import type { ObjectSchema, Schema, Type } from './schema-source.ts';

/** Of one place in a schema. */
export const MOST_CASES = 64;
/** Of all cases of a schema; what is long counts as many. */
const MOST_STEPS = 200_000;
const CHARACTERS_A_STEP = 32;
const MOST_DEPTH = 48;
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
};
const ANY: readonly Case[] = TYPES.filter((type) => type !== 'integer').map((type) => ({ type }));
const valuesOf = (schema: ObjectSchema, keyword: 'const' | 'enum', at: string): readonly unknown[] => (keyword === 'const' ? [schema['const']] : listOf(schema['enum'], at, 'enum'));

export class SchemaCases {
  readonly #whole: unknown;
  readonly #parts: SchemaParts;
  readonly #conditional = new Map<ObjectSchema, boolean>();
  #steps = 0;
  #depth = 0;

  /** `whole`: where references lead. */
  constructor(whole: unknown, parts: SchemaParts) {
    this.#whole = whole;
    this.#parts = parts;
  }
  /** Whether a schema, or what is put together with it, holds a condition. */
  isConditional(schema: ObjectSchema, at: string): boolean {
    const known = this.#conditional.get(schema);
    if (known !== undefined) return known;
    this.#conditional.set(schema, false);
    const alternatives = ['anyOf', 'oneOf'].filter((keyword) => schema[keyword] !== undefined && Object.keys(schema).some((key) => key !== keyword && !NOTES.has(key)));
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
    return this.#with(ANY, schema, at).map((each) => written(each, at));
  }
  /** What is valid by both. */
  both(schema: Schema, other: Schema, at: string): Schema {
    if (schema === false || other === false) return false;
    if (other === true || schema === other) return schema;
    if (schema === true) return other;
    const [one, another] = [canonical(schema), canonical(other)];
    this.#spend((one.length + another.length) / CHARACTERS_A_STEP, at);
    return one === another ? schema : together(this.#with(this.#with(ANY, schema, at), other, at));
  }
  /** What is valid by the first and not by the other. */
  without(schema: Schema, other: Schema, at: string): Schema {
    return other === false ? schema : together(this.#without(this.#with(ANY, schema, at), other, at));
  }

  #spend(steps: number, at: string): void {
    this.#steps += steps;
    if (this.#steps > MOST_STEPS) throw wrong(at, 'conditions', `come to more than ${MOST_STEPS} steps together with others; make them fewer or shorter`);
  }
  #counted<Result>(cases: readonly Case[], schema: ObjectSchema, at: string, run: () => Result): Result {
    this.#spend(cases.reduce((sum, each) => sum + weightOf(each), cases.length * weightOf(schema)), at);
    if (this.#depth === MOST_DEPTH) throw wrong(at, 'conditions', `are nested more than ${MOST_DEPTH} deep, or hold themselves`);
    this.#depth++;
    try {
      return run();
    } finally {
      this.#depth--;
    }
  }
  #with(cases: readonly Case[], schema: Schema, at: string): readonly Case[] {
    if (schema === true || cases.length === 0) return cases;
    if (schema === false) return [];
    refuseUnknown(schema, at);
    return this.#counted(cases, schema, at, () => this.#conditions(cases.flatMap((each) => this.#plain(each, schema, at)), schema, at));
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
    if (narrowed['enum'] !== undefined) throw wrong(at, own[0], 'beside const or enum is not supported; leave out the values that it forbids');
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
    } else result = this.#parts.merged({ allOf: [narrowed, more] }, at);
    return typeof result === 'object' && isPossible(result, at) ? [result] : [];
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
    if (some.length > 0) found = few(some.flatMap(([item, place]) => this.#with(found, item, place)), at, 'anyOf');
    if (one.length > 0)
      found = few(one.flatMap(([item, place]) => one.reduce((left, [other, there]) => (other === item && there === place ? left : this.#without(left, other, there)), this.#with(found, item, place))), at, 'oneOf');
    if (schema['not'] !== undefined) found = few(this.#without(found, schemaOf(schema['not'], `${at}/not`), `${at}/not`), at, 'not');
    if (schema['if'] !== undefined && (schema['then'] !== undefined || schema['else'] !== undefined)) found = this.#either(found, schemaOf(schema['if'], `${at}/if`), { met: schemaOf(schema['then'] ?? true, `${at}/then`), unmet: schemaOf(schema['else'] ?? true, `${at}/else`) }, at, 'if');
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
  #either(cases: readonly Case[], condition: Schema, { met, unmet }: { readonly met: Schema; readonly unmet: Schema }, at: string, keyword: string): readonly Case[] {
    const holding = this.#with(this.#with(cases, condition, `${at}/${keyword}`), met, `${at}/then`);
    return few([...holding, ...this.#with(this.#without(cases, condition, `${at}/${keyword}`), unmet, `${at}/else`)], at, keyword);
  }

  #without(cases: readonly Case[], schema: Schema, at: string): readonly Case[] {
    if (schema === true) return [];
    if (schema === false) return cases;
    refuseUnknown(schema, at);
    return this.#counted(cases, schema, at, () => few(cases.flatMap((each) => Object.keys(schema).flatMap((keyword) => this.#breaking(each, keyword, schema, at))), at, 'not'));
  }
  /** What one keyword of a schema makes invalid. */
  #breaking(given: Case, keyword: string, schema: ObjectSchema, at: string): readonly Case[] {
    if (isNote(keyword)) return [];
    const items = (): readonly Schema[] => listOf(schema[keyword], at, keyword).map((item, i) => schemaOf(item, `${at}/${keyword}/${i}`));
    switch (keyword) {
      case 'type':
        return notOfTypes(given, typesOf(schema, at), at);
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
      default:
        break;
    }
    const about = TYPES.filter((type) => BY_TYPE[type].includes(keyword));
    if (about.length > 0 && !kindsOf(given).some((type) => about.includes(type))) return [];
    if (given['enum'] === undefined) {
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
    throw wrong(at, keyword, 'is not supported inside not, nor in what if asks; leave it out');
  }
}

const entries = (value: unknown): number => (typeof value === 'object' && value !== null ? Object.keys(value).length : 0);
/** How many steps it takes at least to look at it. */
const weightOf = ({ enum: values, const: value, properties, required, patternProperties, pattern, not }: ObjectSchema): number =>
  1 + (sizeOf(values) + sizeOf(value) + sizeOf(pattern) + sizeOf(not)) / CHARACTERS_A_STEP + entries(properties) / 16 + entries(required) * (1 + entries(patternProperties));
function few(cases: readonly Case[], at: string, keyword: string): readonly Case[] {
  if (cases.length > MOST_CASES) throw wrong(at, keyword, `comes to more than ${MOST_CASES} cases together with what stands beside it`);
  return cases;
}
const together = (cases: readonly Case[]): Schema => (cases.length === 0 ? false : cases.length === 1 ? cases[0] : { anyOf: cases });
function ofTypes(given: Case, types: readonly Type[]): Case | undefined {
  const { enum: values, type } = given;
  const wanted: readonly Type[] = types.includes('number') ? [...types, 'integer'] : types;
  if (Array.isArray(values)) {
    const fitting = values.filter((value) => kindsOf({ enum: [value] }).some((kind) => wanted.includes(kind)));
    return fitting.length > 0 ? { enum: fitting } : undefined;
  }
  if (wanted.includes(type as Type)) return given;
  return type === 'number' && wanted.includes('integer') ? { ...given, type: 'integer' } : undefined;
}
function notOfTypes(given: Case, types: readonly Type[], at: string): readonly Case[] {
  const { enum: values } = given;
  if (Array.isArray(values)) {
    const other = values.filter((value) => !ofTypes({ enum: [value] }, types));
    return other.length > 0 ? [{ enum: other }] : [];
  }
  const left = ofTypes(given, types);
  if (left && left !== given) throw wrong(at, 'type', 'is not supported inside not, nor in what if asks, where numbers are valid that are not whole');
  return left ? [] : [given];
}
