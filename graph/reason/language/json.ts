// Owns the JSON form of rules: the same language for programs, each mistake with its path.
// Refuses to know how rules run.
//
// rule:       {"name"?, "confidence"?, "say"?, "heads": [atom...], "body": [item...]}
// atom:       {"relation": "born in", "subject": term, "object": term, "negated"?: true, "absent"?: true}
// comparison: {"compare": "<", "left": value, "right": value}   also "in" and "not in", whose right side is {"list": [term...]}
// test:       {"call": "contains", "arguments": [value...], "absent"?: true}
// aggregate:  {"aggregate": "count", "result": term, "of": [term...], "body": [atom or comparison...]}
// value:      term | {"call": "+", "arguments": [value...]}
// term:       "?x" (variable) | "Albert Einstein" (entity) | {"variable": "x"} | {"entity": "?odd"} | {"value": 1879, "type": "number"}
//             in the atoms of a body also "_" (anything); the entity of that name is {"entity": "_"}

import { entity, literal, parseEntityId, parseRelationName, TermError } from '../../terms.ts';
import type { LiteralType } from '../../terms.ts';
import type { Aggregate, AggregateFunction, Atom, BodyItem, Comparison, Expression, Rule, RuleTerm } from '../types.ts';
import { isAtom } from './body.ts';
import { RuleError } from '../errors.ts';
import { pauses, RULE_TURNS, runNow } from '../evaluate/run.ts';
import { NESTING } from './kinds.ts';
import { makeRule } from './print.ts';
import { TESTS } from './values.ts';
import { checkRule, LIMITS } from './safety.ts';
import { ANY, refuseDenial, wildcard, withoutWildcards } from './json-wildcards.ts';

export type TermJson =
  | string
  | { readonly variable: string }
  | { readonly entity: string }
  | { readonly value: string | number | boolean; readonly type: LiteralType };
export interface AtomJson {
  readonly relation: string;
  readonly subject: TermJson;
  readonly object: TermJson;
  readonly negated?: true;
  readonly absent?: true;
}
export type ExpressionJson = TermJson | CallJson | { readonly list: readonly TermJson[] };
export type CallJson = { readonly call: string; readonly arguments: readonly ExpressionJson[] };
export interface TestJson extends CallJson {
  readonly absent?: true;
}
export interface ComparisonJson {
  readonly compare: Comparison['operator'];
  readonly left: ExpressionJson;
  readonly right: ExpressionJson;
}
export interface AggregateJson {
  readonly aggregate: AggregateFunction;
  readonly result: TermJson;
  readonly of: readonly TermJson[];
  readonly body: readonly PlainItemJson[];
}
export type PlainItemJson = AtomJson | ComparisonJson | TestJson;
export type ItemJson = PlainItemJson | AggregateJson;
export interface RuleJson {
  readonly name?: string;
  readonly confidence?: number;
  readonly say?: string;
  readonly heads: readonly AtomJson[];
  readonly body: readonly ItemJson[];
}

const VARIABLE = /^\?[\p{L}_][\p{L}\p{M}\p{N}_]*$/u;
const OPERATORS: readonly string[] = ['=', '!=', '<', '<=', '>', '>=', 'in', 'not in'];
const AGGREGATES: readonly string[] = ['count', 'sum', 'min', 'max', 'avg'];

function termToJson(term: RuleTerm): TermJson {
  if (term.kind === 'variable') return `?${term.name}`;
  if (term.kind === 'entity') return term.id.startsWith('?') || term.id === ANY ? { entity: term.id } : term.id;
  return { value: term.value, type: term.type };
}
export const atomToJson = (atom: Atom): AtomJson => ({
  relation: atom.relation,
  subject: termToJson(atom.subject),
  object: termToJson(atom.object),
  ...(atom.negated ? { negated: true as const } : {}),
  ...(atom.absent ? { absent: true as const } : {}),
});
/** The JSON form; `rulesFromJson` reads it back to an equal rule. */
export const ruleToJson = (rule: Rule): RuleJson => ({
  ...(rule.name === undefined ? {} : { name: rule.name }),
  ...(rule.confidence === undefined ? {} : { confidence: rule.confidence }),
  ...(rule.say === undefined ? {} : { say: rule.say }),
  heads: rule.heads.map(atomToJson),
  body: rule.body.map(itemToJson),
});
export function expressionToJson(expression: Expression): ExpressionJson {
  if (expression.kind === 'call') return callToJson(expression);
  if (expression.kind === 'list') return { list: expression.items.map(termToJson) };
  return termToJson(expression);
}
const callToJson = (call: Expression & { kind: 'call' }): CallJson => ({ call: call.function, arguments: call.arguments.map(expressionToJson) });
export function itemToJson(item: BodyItem): ItemJson {
  if (isAtom(item) || item.kind === 'compare') return plainToJson(item);
  return { aggregate: item.function, result: termToJson(item.result), of: item.of.map(termToJson), body: item.body.map(plainToJson) };
}
function plainToJson(item: Atom | Comparison): PlainItemJson {
  if (isAtom(item)) return atomToJson(item);
  const { operator, left, right } = item;
  if (operator === '=' && left.kind === 'call' && TESTS.has(left.function) && right.kind === 'literal' && right.type === 'boolean')
    return { ...callToJson(left), ...(right.value ? {} : { absent: true as const }) };
  return { compare: operator, left: expressionToJson(left), right: expressionToJson(right) };
}

/** One rule, an array of rules, or `{"rules": [...]}`. Throws RuleError `syntax` (with a path) or what checkRule finds. */
export const rulesFromJson = (value: unknown): readonly Rule[] => runNow(rulesOfJson(value));
/** The same in slices. */
export function* rulesOfJson(value: unknown): Generator<void, readonly Rule[]> {
  if (Array.isArray(value)) return yield* list(value, 'rules', readRule);
  const map = object(value, 'rules', undefined);
  if ('rules' in map) {
    only(map, ['rules'], 'rules');
    if (!Array.isArray(map['rules'])) throw wrong('rules', 'an array of rules', map['rules']);
    return yield* list(map['rules'], 'rules', readRule);
  }
  return [readRule(value, 'rule')];
}

function* list(values: readonly unknown[], path: string, read: (value: unknown, path: string) => Rule): Generator<void, readonly Rule[]> {
  if (values.length > LIMITS.rules) throw new RuleError('too_large', `${values.length} rules; at most ${LIMITS.rules} are allowed in one call`, { path });
  const rules = new Map<string, Rule>();
  const pause = pauses(RULE_TURNS);
  for (const [i, value] of values.entries()) {
    if (pause()) yield;
    const rule = read(value, `${path}[${i}]`);
    rules.set(rule.id, rule);
  }
  return [...rules.values()];
}

function readRule(value: unknown, path: string): Rule {
  const map = object(value, path, ['name', 'confidence', 'say', 'heads', 'body']);
  const { name, confidence, say } = map;
  if (name !== undefined && (typeof name !== 'string' || name.trim() === '' || name.length > LIMITS.nameCharacters))
    throw wrong(`${path}.name`, `a text of 1 to ${LIMITS.nameCharacters} characters`, name);
  if (say !== undefined && (typeof say !== 'string' || say.trim() === '' || say.length > LIMITS.sayCharacters))
    throw wrong(`${path}.say`, `a text of 1 to ${LIMITS.sayCharacters} characters`, say);
  if (confidence !== undefined && (typeof confidence !== 'number' || !(confidence > 0 && confidence <= 1)))
    throw wrong(`${path}.confidence`, 'a number above 0 and at most 1', confidence);
  const heads = map['heads'] ?? [];
  const body = map['body'] ?? [];
  if (!Array.isArray(heads)) throw wrong(`${path}.heads`, 'an array of atoms', heads);
  if (!Array.isArray(body)) throw wrong(`${path}.body`, 'an array of conditions', body);
  const conclusions = heads.map((head: unknown, i) => readAtom(head, `${path}.heads[${i}]`, false));
  const parts = {
    ...(typeof name === 'string' ? { name } : {}),
    ...(typeof confidence === 'number' ? { confidence } : {}),
    ...(typeof say === 'string' ? { say } : {}),
    heads: conclusions,
    body: withoutWildcards(
      conclusions,
      body.map((item: unknown, i) => readItem(item, `${path}.body[${i}]`)),
    ),
  };
  checkRule(parts, (part, index, position) => {
    if (part === 'say') return { path: `${path}.say` };
    const item = parts[part][index];
    if (item === undefined) return { path };
    const side = (isAtom(item) ? (['subject', 'object'] as const) : item.kind === 'compare' ? (['left', 'right'] as const) : (['result', 'body'] as const))[
      position
    ];
    return { path: `${path}.${part}[${index}].${side}` };
  });
  return makeRule(parts);
}

function readItem(value: unknown, path: string): BodyItem {
  if (typeof value !== 'object' || value === null) return readAtom(value, path, true);
  if ('aggregate' in value) return readAggregate(value, path);
  if ('call' in value) {
    const map = object(value, path, ['call', 'arguments', 'absent']);
    const { absent, ...rest } = map;
    if (absent !== undefined && typeof absent !== 'boolean') throw wrong(`${path}.absent`, 'true or false', absent);
    const left = readExpression(rest, path);
    if (left.kind !== 'call' || !TESTS.has(left.function)) throw wrong(`${path}.call`, `a test: one of ${[...TESTS].join(', ')}`, map['call']);
    return { kind: 'compare', operator: '=', left, right: literal(absent !== true) };
  }
  if (!('compare' in value)) return readAtom(value, path, true);
  const map = object(value, path, ['compare', 'left', 'right']);
  const operator = map['compare'];
  if (typeof operator !== 'string' || !OPERATORS.includes(operator)) throw wrong(`${path}.compare`, `one of ${OPERATORS.join(' ')}`, operator);
  return {
    kind: 'compare',
    operator: operator as Comparison['operator'],
    left: readExpression(map['left'], `${path}.left`),
    right: readExpression(map['right'], `${path}.right`),
  };
}

function readAggregate(value: unknown, path: string): Aggregate {
  const map = object(value, path, ['aggregate', 'result', 'of', 'body']);
  const { aggregate, of, body } = map;
  if (typeof aggregate !== 'string' || !AGGREGATES.includes(aggregate)) throw wrong(`${path}.aggregate`, `one of ${AGGREGATES.join(', ')}`, aggregate);
  if (!Array.isArray(of) || of.length === 0 || of.length > LIMITS.variables) throw wrong(`${path}.of`, `an array of 1 to ${LIMITS.variables} terms`, of);
  if (!Array.isArray(body)) throw wrong(`${path}.body`, 'an array of atoms and comparisons', body);
  return {
    kind: 'aggregate',
    function: aggregate as AggregateFunction,
    result: readTerm(map['result'], `${path}.result`),
    of: of.map((term: unknown, i) => readTerm(term, `${path}.of[${i}]`)),
    body: body.map((item: unknown, i) => {
      const read = typeof item === 'object' && item !== null && 'aggregate' in item ? undefined : readItem(item, `${path}.body[${i}]`);
      if (read === undefined || (!isAtom(read) && read.kind === 'aggregate')) throw wrong(`${path}.body[${i}]`, 'an atom or a comparison', item);
      refuseDenial(read, `${path}.body[${i}]`);
      return read;
    }),
  };
}

function readExpression(value: unknown, path: string, depth = 0): Expression {
  if (depth > NESTING) throw new RuleError('too_large', `calls are nested deeper than ${NESTING}`, { path });
  if (typeof value !== 'object' || value === null || !('call' in value || 'list' in value)) return readTerm(value, path);
  if ('list' in value) {
    const { list } = object(value, path, ['list']);
    if (!Array.isArray(list)) throw wrong(`${path}.list`, 'an array of terms', list);
    const items = list.map((item: unknown, i) => {
      const term = readTerm(item, `${path}.list[${i}]`);
      if (term.kind === 'variable') throw wrong(`${path}.list[${i}]`, 'a name or a literal', item);
      return term;
    });
    return { kind: 'list', items };
  }
  const map = object(value, path, ['call', 'arguments']);
  const { call, arguments: values } = map;
  if (typeof call !== 'string') throw wrong(`${path}.call`, 'the name of a function', call);
  if (!Array.isArray(values)) throw wrong(`${path}.arguments`, 'an array of values', values);
  return { kind: 'call', function: call, arguments: values.map((each: unknown, i) => readExpression(each, `${path}.arguments[${i}]`, depth + 1)) };
}

/** `open`: "_" may stand for anything. */
function readAtom(value: unknown, path: string, open: boolean): Atom {
  const map = object(value, path, ['relation', 'subject', 'object', 'negated', 'absent']);
  const { relation, negated, absent } = map;
  if (typeof relation !== 'string') throw wrong(`${path}.relation`, 'the name of a relation', relation);
  for (const [key, flag] of Object.entries({ negated, absent }))
    if (flag !== undefined && typeof flag !== 'boolean') throw wrong(`${path}.${key}`, 'true or false', flag);
  const subject = readTerm(map['subject'], `${path}.subject`, open);
  if (subject.kind === 'literal')
    throw new RuleError('invalid_term', 'a literal cannot be a subject; a subject is a variable or the name of an entity', { path: `${path}.subject` });
  return {
    relation: convert(`${path}.relation`, () => parseRelationName(relation)),
    subject,
    object: readTerm(map['object'], `${path}.object`, open),
    ...(negated === true ? { negated } : {}),
    ...(absent === true ? { absent } : {}),
  };
}

function readTerm(value: unknown, path: string, open = false): RuleTerm {
  if (typeof value === 'string') {
    if (value === ANY) return wildcard(path, open);
    if (VARIABLE.test(value)) return { kind: 'variable', name: value.slice(1).normalize('NFC') };
    return convert(path, () => entity(parseEntityId(value)));
  }
  const map = object(value, path, ['variable', 'entity', 'value', 'type']);
  if ('variable' in map) {
    only(map, ['variable'], path);
    const name = map['variable'];
    if (typeof name !== 'string' || !VARIABLE.test(`?${name}`)) throw wrong(`${path}.variable`, 'a name of letters, digits and "_"', name);
    return { kind: 'variable', name: name.normalize('NFC') };
  }
  if ('entity' in map) {
    only(map, ['entity'], path);
    const id = map['entity'];
    if (typeof id !== 'string') throw wrong(`${path}.entity`, 'the name of an entity', id);
    return convert(path, () => entity(parseEntityId(id)));
  }
  const { value: content, type } = map;
  if (typeof content !== 'string' && typeof content !== 'number' && typeof content !== 'boolean')
    throw wrong(`${path}.value`, 'a string, a number, true or false', content);
  if (type !== undefined && type !== 'string' && type !== 'number' && type !== 'date' && type !== 'boolean')
    throw wrong(`${path}.type`, '"string", "number", "date" or "boolean"', type);
  return convert(path, () => literal(content, type));
}

function object(value: unknown, path: string, keys: readonly string[] | undefined): Record<string, unknown> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw wrong(path, 'an object', value);
  const map = value as Record<string, unknown>;
  if (keys) only(map, keys, path);
  return map;
}
function only(map: Record<string, unknown>, keys: readonly string[], path: string): void {
  for (const key of Object.keys(map))
    if (!keys.includes(key)) throw new RuleError('syntax', `${JSON.stringify(key)} is not known here; use ${keys.join(', ')}`, { path, expected: keys });
}
function wrong(path: string, expected: string, found: unknown): RuleError {
  // Lists and objects are not written out: they may be deeper than a stack.
  const shown =
    found === undefined
      ? 'nothing'
      : Array.isArray(found)
        ? 'a list'
        : typeof found === 'object' && found !== null
          ? 'an object'
          : JSON.stringify(found).slice(0, 80);
  return new RuleError('syntax', `expected ${expected} but found ${shown}`, { path, expected: [expected] });
}
function convert<T>(path: string, make: () => T): T {
  try {
    return make();
  } catch (error) {
    if (error instanceof TermError) throw new RuleError('invalid_term', error.message, { path });
    throw error;
  }
}
