// Owns what Soufflé programs over relations of one or two places are in our language: `path(x, z) :- edge(x, y), (path(y, z); y = z), !blocked(y).`
// Refuses their grammar (souffle-syntax.ts), and which of their values are entities (souffle-columns.ts).
//
// A rule with ";" becomes one rule for each alternative. Division of whole numbers cuts off what is behind the point, as there; a program that declares a float divides as it stands.

import { entity, literal, parseEntityId, parseRelationName } from '../../terms.ts';
import type { Term } from '../../terms.ts';
import { alternatives, ALTERNATIVES } from './alternatives.ts';
import { itemVariables, variablesOf } from '../language/body.ts';
import { RuleError } from '../errors.ts';
import { runNow } from '../evaluate/run.ts';
import type { ReadRules } from '../language/parse.ts';
import { IS_A } from '../language/print.ts';
import { Columns, GIVES_TEXT } from './souffle-columns.ts';
import type { ColumnKind } from './souffle-columns.ts';
import { SouffleSyntax } from './souffle-syntax.ts';
import type { Clause } from './souffle-syntax.ts';
import type { Argument, Literal, SouffleAtom } from './souffle-values.ts';
import { placeOf } from './source-tokens.ts';
import type { SourceToken } from './source-tokens.ts';
import { called, compared, noneOf } from './token-reader.ts';
import type { PlacedItem, SourceTerm } from './token-reader.ts';
import type { Aggregate, Atom, Call, Comparison, Expression, RuleTerm } from '../types.ts';

/** Reads as much of a Soufflé program as is right, and says what is wrong with the rest. */
export const readSouffle = (text: string): ReadRules => runNow(readingSouffle(text));
/** The same in slices. */
export function* readingSouffle(text: string): Generator<void, ReadRules> {
  try {
    return yield* new SouffleReader(text).reading();
  } catch (error) {
    if (error instanceof RuleError) return { rules: [], errors: [error], places: new Map() };
    throw error;
  }
}

/** Conditions of one body, or of one aggregate. */
interface Scope {
  readonly clause: number;
  readonly items: PlacedItem[];
  /** Variables that an atom gives values. */
  readonly met: ReadonlySet<string>;
  readonly inAggregate: boolean;
  /** Variables of the clause outside aggregates; those of an aggregate are its own. */
  readonly outer: ReadonlySet<string>;
}
const variable = (name: string): RuleTerm & { readonly kind: 'variable' } => ({ kind: 'variable', name });
const CLASS_OF = parseRelationName(IS_A);

class SouffleReader extends SouffleSyntax {
  /** Of the whole program, once it is read. */
  #columns = new Columns([], new Map(), String);
  #floats = false;

  protected override *afterwards(): Generator<() => void> {
    this.#columns = new Columns(this.clauses, this.declared, (type) => this.base(type));
    this.#floats = [...this.declared.values()].some((types) => types.some((type) => this.base(type) === 'float'));
    for (const [number, clause] of this.clauses.entries()) yield () => this.#clause(clause, number);
  }

  #clause(clause: Clause, number: number): void {
    this.revisit(clause.span);
    const ways = alternatives(clause.body);
    if (!ways) throw this.wrong('too_large', `the rule stands for more than ${ALTERNATIVES} rules without ";"; split it`, clause.token);
    for (const way of ways) {
      const outer = new Set([...clause.heads, ...way].flatMap((part) => [...namesOf(part)]));
      const scope: Scope = { clause: number, items: [], met: metBy(way), inAggregate: false, outer };
      for (const part of way) this.#literal(part, scope);
      const heads = clause.heads.map((head) => this.#head(head, scope));
      this.add(undefined, heads, scope.items, clause.token);
    }
  }
  #head(head: SouffleAtom, scope: Scope): PlacedItem<Atom> {
    const any = head.arguments.find(({ kind }) => kind === 'any');
    if (any) throw this.wrong('unsafe', 'a head has no "_": what it concludes needs a value', any.token);
    const [subject] = head.arguments;
    if (subject.kind === 'call' || subject.kind === 'aggregate')
      throw this.wrong('type', `place 1 of ${head.relation} holds entities, and what is computed cannot be one; a condition has to give it, such as next(x, y)`, subject.token);
    head.arguments.forEach((argument, place) => {
      const computed = argument.kind === 'call' || argument.kind === 'aggregate' || (argument.kind === 'variable' && !scope.met.has(argument.name));
      if (place > 0 && computed && this.#columns.place(head.relation, head.arguments.length, place) === 'entity' && (argument.kind !== 'variable' || this.#columns.isNumeric(scope.clause, argument.name)))
        throw this.wrong('type', `place ${place + 1} of ${head.relation} holds entities, since it meets the first place of a relation, and what is computed cannot be one`, argument.token);
    });
    return this.#atom(head, scope, scope.items);
  }

  #literal(part: Literal, scope: Scope): void {
    const { token } = part;
    if (part.kind === 'atom') {
      if (!part.denied) return void scope.items.push(this.#atom(part, scope, scope.items));
      const computed: PlacedItem<Comparison>[] = [];
      const atom = this.#atom(part, scope, computed);
      const ends = [atom.item.subject, atom.item.object];
      const own = [
        ...part.arguments.flatMap(({ kind }, place) => (kind === 'any' ? [...variablesOf(ends[place])] : [])),
        ...computed.flatMap(({ item }) => [...variablesOf((item.left as Call).arguments[0])]),
      ];
      if (own.length > 0 && scope.inAggregate) throw this.wrong('syntax', `!${part.relation}(.., _) stands inside an aggregate; compute it by a relation of its own`, token);
      return void scope.items.push(noneOf([atom, ...computed], own, token));
    }
    if (part.kind === 'test') {
      const [pattern, text] = part.arguments;
      // Soufflé matches a text from its beginning to its end.
      const wanted = part.function === 'matches' && pattern.kind === 'constant' ? { ...pattern, value: `^(${String(pattern.value)})$` } : pattern;
      if (part.function === 'matches' && pattern.kind !== 'constant') throw this.wrong('syntax', 'match(..) needs a text in quotes as its pattern', pattern.token);
      const values = [this.#value(text, scope, 'text'), this.#value(wanted, scope, 'text')];
      return void scope.items.push(called(part.function, values, { value: literal(!part.denied), token }, token));
    }
    const { operator, left, right } = part;
    if (operator === '=' || operator === '!=') return this.#equation(operator, left, right, scope, token);
    scope.items.push(compared(operator, this.#ordered(left, scope), this.#ordered(right, scope)));
  }
  #equation(operator: '=' | '!=', left: Argument, right: Argument, scope: Scope, token: SourceToken): void {
    for (const [side, other] of [
      [left, right],
      [right, left],
    ] as const)
      if (operator === '=' && other.kind === 'aggregate' && (side.kind === 'variable' || side.kind === 'constant')) {
        const result = side.kind === 'variable' ? variable(side.name) : constantOf(side.value, 'number');
        return void scope.items.push(this.#aggregate(other, result, scope));
      }
    const computed = left.kind === 'call' || right.kind === 'call' || left.kind === 'aggregate' || right.kind === 'aggregate';
    const side = (argument: Argument, other: Argument): SourceTerm => {
      if (argument.kind === 'constant' && other.kind === 'variable')
        return { value: this.#constant(argument.value, this.#columns.variable(scope.clause, other.name), argument.token), token: argument.token };
      // What an atom gives may be an entity whose name is a number; what nothing gives takes the value as it is.
      if (argument.kind === 'variable') return computed && scope.met.has(argument.name) ? this.#value(argument, scope, 'any') : { value: variable(argument.name), token: argument.token };
      return this.#value(argument, scope, 'any');
    };
    const [a, b] = [side(left, right), side(right, left)];
    scope.items.push({ item: { kind: 'compare', operator, left: a.value, right: b.value }, places: [placeOf(left.token), placeOf(right.kind === 'call' ? token : right.token)] });
  }
  /** A side of a comparison by order. */
  #ordered(argument: Argument, scope: Scope): SourceTerm {
    if (argument.kind === 'constant' && typeof argument.value === 'string') throw this.#noOrder(argument.token);
    if (argument.kind === 'variable' && this.#columns.isSymbolic(scope.clause, argument.name) && !this.#columns.isNumeric(scope.clause, argument.name))
      throw this.#noOrder(argument.token);
    return this.#value(argument, scope, 'number');
  }
  #noOrder(token: SourceToken): RuleError {
    return this.wrong('type', `${token.raw} is a symbol, and Soufflé orders symbols by numbers of its own, which there are not here; compare numbers`, token);
  }

  /** `named`: where what is computed in a place that holds entities is compared with the entity's name. */
  #atom(atom: SouffleAtom, scope: Scope, named: PlacedItem[]): PlacedItem<Atom> {
    const { arguments: values, relation, token } = atom;
    const terms = values.map((argument, place): RuleTerm => {
      if (argument.kind === 'any') return scope.inAggregate ? this.#own() : this.fresh();
      const kind = this.#columns.place(relation, values.length, place);
      // A variable that no atom gives a value holds what was computed for it.
      const isComputed = argument.kind === 'call' || (argument.kind === 'variable' && atom.denied && !scope.met.has(argument.name) && this.#columns.isNumeric(scope.clause, argument.name));
      if (argument.kind === 'variable' && !(isComputed && kind === 'entity')) return variable(argument.name);
      if (argument.kind === 'constant') return this.#constant(argument.value, kind, argument.token);
      const result = this.fresh();
      if (isComputed && kind === 'entity') {
        const { value } = this.#value(argument, scope, 'any');
        const by = givesText(argument) ? 'string' : 'number';
        named.push(compared('=', { value: { kind: 'call', function: by, arguments: [result] }, token: argument.token }, { value, token: argument.token }));
      } else if (argument.kind === 'aggregate') scope.items.push(this.#aggregate(argument, result, scope));
      else scope.items.push(compared('=', { value: result, token: argument.token }, this.#value(argument, scope, 'any')));
      return result;
    });
    const places = [placeOf(values[0].token), placeOf((values[1] ?? atom).token)] as const;
    const [subject, object] = terms;
    if (subject.kind === 'literal') throw this.wrong('invalid_term', `${values[0].token.raw} cannot be a subject`, values[0].token);
    return object
      ? { item: { relation: this.convert(token, () => parseRelationName(relation)), subject, object }, places }
      : { item: { relation: CLASS_OF, subject, object: this.convert(token, () => entity(parseEntityId(relation))) }, places };
  }
  #constant(value: string | number, kind: ColumnKind, token: SourceToken): Term {
    return this.convert(token, () => constantOf(value, kind));
  }
  /** A variable that multiplies the ways to meet an aggregate's conditions, as `_` does there. */
  #own(): RuleTerm & { readonly kind: 'variable' } {
    return variable(`any${this.fresh().name}`);
  }

  /** A value as functions and comparisons by order take it. */
  #value(argument: Argument, scope: Scope, wanted: 'number' | 'text' | 'any'): SourceTerm {
    const { token } = argument;
    switch (argument.kind) {
      case 'any':
        throw this.wrong('unsafe', '"_" stands where a value is needed', token);
      case 'constant':
        return { value: this.convert(token, () => literal(argument.value, typeof argument.value === 'number' ? 'number' : 'string')), token };
      case 'variable': {
        const value = variable(argument.name);
        const named =
          this.#columns.variable(scope.clause, argument.name) === 'entity' && this.#columns.isNumeric(scope.clause, argument.name) && scope.met.has(argument.name);
        return { value: named && wanted !== 'text' ? { kind: 'call', function: 'number', arguments: [value] } : value, token };
      }
      case 'aggregate': {
        const result = this.fresh();
        scope.items.push(this.#aggregate(argument, result, scope));
        return { value: result, token };
      }
      case 'call': {
        const { function: name } = argument;
        const texts = name === 'concat' || name === 'length' || name === 'string';
        const values = argument.arguments.map((each, i) => this.#value(each, scope, texts || (name === 'substring' && i === 0) ? 'text' : name === 'number' ? 'text' : 'number').value);
        return { value: this.#call(name, values), token };
      }
      default:
        return argument satisfies never;
    }
  }
  #call(name: string, values: readonly Expression[]): Expression {
    const call = (of: string, ...given: readonly Expression[]): Expression => ({ kind: 'call', function: of, arguments: given });
    if (name === '^') return call('power', ...values);
    if ((name !== '/' && name !== '%') || (name === '/' && this.#floats)) return call(name, ...values);
    const quotient = call('/', ...values);
    const whole = call('+', call('max', call('floor', quotient), literal(0)), call('min', call('ceil', quotient), literal(0)));
    return name === '/' ? whole : call('-', values[0], call('*', values[1], whole));
  }

  #aggregate(argument: Argument & { readonly kind: 'aggregate' }, result: RuleTerm, outside: Scope): PlacedItem {
    const { token, of } = argument;
    if (outside.inAggregate) throw this.wrong('syntax', `${argument.function} stands inside another aggregate; compute it by a relation of its own`, token);
    const ways = alternatives(argument.body);
    if (ways?.length !== 1) throw this.wrong('syntax', `";" stands inside ${argument.function} : { .. }; compute the alternatives by a relation of its own`, token);
    const scope: Scope = { ...outside, items: [], met: new Set([...outside.met, ...metBy(ways[0])]), inAggregate: true };
    for (const part of ways[0]) this.#literal(part, scope);
    let values: RuleTerm[];
    if (of) {
      const { value } = this.#value(of, scope, 'number');
      if (value.kind === 'call') {
        const computed = this.fresh();
        scope.items.push(compared('=', { value: computed, token: of.token }, { value, token: of.token }));
        values = [computed];
      } else values = value.kind === 'list' ? [] : [value];
    } else {
      const names = [...new Set(scope.items.flatMap(({ item }) => [...itemVariables(item)]))];
      const own = names.filter((name) => !outside.outer.has(name));
      values = (own.length > 0 ? own : names).map(variable);
    }
    const item: Aggregate = {
      kind: 'aggregate',
      function: argument.function === 'mean' ? 'avg' : argument.function,
      result,
      of: values.length > 0 ? values : [literal(1)],
      body: scope.items.map((placed) => placed.item) as (Atom | Comparison)[],
    };
    return { item, places: [placeOf(token), placeOf(token)] };
  }
}

function constantOf(value: string | number, kind: ColumnKind): Term {
  if (kind === 'number' && typeof value === 'number') return literal(value);
  if (kind === 'string') return literal(String(value), 'string');
  return entity(parseEntityId(String(value)));
}
const givesText = (argument: Argument): boolean => argument.kind === 'call' && GIVES_TEXT.has(argument.function);
/** Variables that atoms give values. */
const metBy = (way: readonly Literal[]): Set<string> =>
  new Set(way.flatMap((part) => (part.kind === 'atom' && !part.denied ? part.arguments.flatMap((each) => (each.kind === 'variable' ? [each.name] : [])) : [])));
/** Variables outside aggregates. */
function* namesOf(part: Literal): Generator<string> {
  for (const value of part.kind === 'compare' ? [part.left, part.right] : part.arguments) yield* namesIn(value);
}
function* namesIn(argument: Argument): Generator<string> {
  if (argument.kind === 'variable') yield argument.name;
  else if (argument.kind === 'call') for (const value of argument.arguments) yield* namesIn(value);
}
