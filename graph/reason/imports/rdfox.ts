// Owns reading RDFox's Datalog, `[?x, :p, ?z] :- [?x, :q, ?y], NOT [?y, :r, ?z], FILTER(?z > 3) .`
// Refuses what has no counterpart here: named graphs, tuple tables, SKOLEM, expressions that are not SPARQL's common ones.
//
// A rule with "||" in a filter becomes one rule for each alternative. AGGREGATE(..) has a value only for groups of which there is something.

import { literal } from '../../terms.ts';
import { alternatives, ALTERNATIVES } from './alternatives.ts';
import type { Formula } from './alternatives.ts';
import { itemVariables, substituteItem, variablesOf } from '../language/body.ts';
import { RuleError } from '../errors.ts';
import { runNow } from '../evaluate/run.ts';
import type { ReadRules } from '../language/parse.ts';
import type { NameStyle } from './rdf-names.ts';
import type { RdfTerm } from './rdf-reader.ts';
import { RDFOX_PATTERNS } from './rdf-tokens.ts';
import { placeOf } from './source-tokens.ts';
import type { SourceToken } from './source-tokens.ts';
import { SparqlValueReader } from './sparql-values.ts';
import { compared, noneOf } from './token-reader.ts';
import type { PlacedItem, SourceTerm } from './token-reader.ts';
import type { Aggregate, AggregateFunction, Atom, Comparison, RuleTerm } from '../types.ts';

/** Conditions that must not be met together. */
interface Denied {
  readonly none: readonly PlacedItem[];
  readonly token: SourceToken;
}
interface Bound {
  readonly function: AggregateFunction;
  readonly distinct: boolean;
  /** Absent for `COUNT(*)`. */
  readonly of?: SourceTerm;
  readonly result: string;
  readonly token: SourceToken;
}
/** `AGGREGATE(body ON group BIND .. AS ..)`. */
interface Grouped {
  readonly body: readonly PlacedItem[];
  readonly group: readonly string[];
  readonly binds: readonly Bound[];
}
type Condition = PlacedItem | Denied | Grouped;
const isPlain = (condition: Condition): condition is PlacedItem => 'item' in condition;
type Variable = RuleTerm & { readonly kind: 'variable' };
const variable = (name: string): Variable => ({ kind: 'variable', name });

const AGGREGATES: ReadonlyMap<string, AggregateFunction> = new Map([
  ['count', 'count'],
  ['sum', 'sum'],
  ['min', 'min'],
  ['max', 'max'],
  ['avg', 'avg'],
]);

/** Reads as much of a text of RDFox's Datalog as is right, and says what is wrong with the rest. */
export const readRdfox = (text: string, names?: NameStyle): ReadRules => runNow(readingRdfox(text, names));
/** The same in slices. */
export function* readingRdfox(text: string, names: NameStyle = 'local'): Generator<void, ReadRules> {
  try {
    return yield* new RdfoxReader(text, names).reading();
  } catch (error) {
    if (error instanceof RuleError) return { rules: [], errors: [error], places: new Map() };
    throw error;
  }
}

class RdfoxReader extends SparqlValueReader {
  constructor(text: string, names: NameStyle) {
    super(text, names, RDFOX_PATTERNS);
  }
  protected override recover(): void {
    if (this.before === '.') return;
    while (!this.atEnd()) if (this.next().raw === '.') return;
  }

  protected override statement(): void {
    if (this.directive()) return;
    const { token } = this;
    const heads: PlacedItem<Atom>[] = [];
    do heads.push(this.#atom());
    while (this.accept(','));
    const body: Formula<Condition>[] = [];
    if (this.accept(':-')) {
      do body.push(this.#condition());
      while (this.accept(','));
      this.expect('.', '","');
    } else this.expect('.', '":-"', '","');
    const ways = alternatives({ all: body });
    if (!ways) throw this.wrong('too_large', `the rule stands for more than ${ALTERNATIVES} rules without "||"; split it`, token);
    for (const way of ways) this.add(undefined, heads, this.#resolved(heads, way), token);
  }

  #keyword(ahead = 0): string {
    const token = this.ahead(ahead);
    return token.kind === 'word' ? token.text.toLowerCase() : '';
  }
  #condition(): Formula<Condition> {
    const { token } = this;
    switch (this.#keyword()) {
      case 'not':
        return { one: this.inside(() => this.#denied()) };
      case 'filter': {
        this.next();
        this.expect('(');
        const test = this.test();
        this.expect(')', 'a comparison');
        return test;
      }
      case 'bind': {
        this.next();
        this.expect('(');
        const value = this.value();
        const result = this.#as();
        this.expect(')');
        return { one: compared('=', { value: variable(result.text), token: result }, value) };
      }
      case 'aggregate':
        return { one: this.inside(() => this.#grouped()) };
      case 'skolem':
      case 'optional':
      case 'union':
      case 'minus':
      case 'exists':
        throw this.wrong('syntax', `${token.raw} has no counterpart here; there are atoms such as [?x, :p, ?y], NOT, FILTER, BIND and AGGREGATE`, token);
      default:
        return { one: this.#atom() };
    }
  }
  /** `AS ?x`. */
  #as(): SourceToken {
    if (this.#keyword() !== 'as') throw this.expected('AS');
    this.next();
    if (this.token.kind !== 'variable') throw this.expected('a variable');
    return this.next();
  }

  /** `[?x, :p, ?y]`, `:p[?x, ?y]` or `:C[?x]`. */
  #atom(): PlacedItem<Atom> {
    const { token } = this;
    let read: PlacedItem<Atom>;
    if (this.accept('[')) {
      const subject = this.signedTerm();
      this.expect(',');
      const predicate = this.#predicate();
      this.expect(',');
      const object = this.signedTerm();
      this.expect(']');
      read = this.triple(subject, predicate, object);
    } else {
      if (this.is('(', 1)) throw this.wrong('syntax', `${token.raw}(..) asks a tuple table or a built-in, which has no counterpart here; write [?x, ${token.raw}, ?y]`);
      if (!this.is('[', 1) || (token.kind !== 'word' && token.kind !== 'iri' && token.kind !== 'prefixed')) throw this.expected('"["', 'NOT', 'FILTER', 'BIND', 'AGGREGATE');
      const name = this.term();
      this.next();
      const subject = this.signedTerm();
      const object = this.accept(',') ? this.signedTerm() : undefined;
      this.expect(']', '","');
      read = object ? this.triple(subject, name, object) : this.triple(subject, this.named(token, 'is a'), name);
    }
    const graph = this.token.kind;
    if (graph === 'iri' || graph === 'prefixed' || graph === 'variable' || this.is('@')) throw this.wrong('syntax', 'named graphs have no counterpart here; a rule reads one knowledge base');
    return read;
  }
  #predicate(): RdfTerm {
    const { token } = this;
    return token.kind === 'word' && token.text === 'a' ? this.named(this.next(), 'is a') : this.term();
  }
  /** `NOT [..]`, `NOT ([..], [..])`, `NOT EXISTS ?z IN [..]`. */
  #denied(): Denied {
    const token = this.next();
    const own: Record<string, RuleTerm> = {};
    if (this.#keyword() === 'exists' || this.#keyword() === 'exist') {
      this.next();
      while (this.token.kind === 'variable') {
        own[this.next().text] = this.fresh();
        this.accept(',');
      }
      if (this.#keyword() !== 'in') throw this.expected('a variable', 'IN');
      this.next();
    }
    const none = this.accept('(') ? this.#inner() : [this.#atom()];
    return { none: none.map(({ item, places }) => ({ item: substituteItem(item, own), places })), token };
  }
  /** Conditions inside brackets, up to `)`. */
  #inner(): PlacedItem[] {
    const items = this.#conditions();
    this.expect(')', '","');
    return items;
  }
  #conditions(): PlacedItem[] {
    const items: PlacedItem[] = [];
    do {
      const { token } = this;
      const ways = alternatives(this.#condition());
      if (ways?.length !== 1) throw this.wrong('syntax', '"||" stands inside brackets; compute the alternatives by rules of their own', token);
      for (const one of ways[0]) {
        if (isPlain(one)) items.push(one);
        else if ('none' in one && one.none.length === 1) items.push(noneOf(one.none, [], token));
        else throw this.wrong('syntax', 'NOT and AGGREGATE inside brackets are computed by rules of their own', token);
      }
    } while (this.accept(','));
    return items;
  }
  #grouped(): Grouped {
    const token = this.next();
    this.expect('(');
    const body = this.#conditions();
    const group: string[] = [];
    if (this.#keyword() === 'on') {
      this.next();
      while (this.token.kind === 'variable') {
        group.push(this.next().text);
        this.accept(',');
      }
      if (group.length === 0) throw this.expected('a variable');
    }
    const binds: Bound[] = [];
    while (this.#keyword() === 'bind') binds.push(this.#bound());
    if (binds.length === 0) throw this.expected('"," and a condition', 'ON', 'BIND');
    this.expect(')', 'BIND');
    const names = new Set(body.flatMap(({ item }) => [...itemVariables(item)]));
    const unknown = group.find((name) => !names.has(name));
    if (unknown !== undefined) throw this.wrong('unsafe', `variable ?${unknown} stands behind ON, but in no condition of AGGREGATE(..)`, token);
    return { body, group, binds };
  }
  /** `BIND COUNT(DISTINCT ?x) AS ?n`. */
  #bound(): Bound {
    this.next();
    const token = this.next();
    const name = AGGREGATES.get(token.text.toLowerCase());
    if (token.kind !== 'word' || !name) throw this.wrong('unknown_builtin', `${token.raw} is no aggregate known here; there are COUNT, SUM, MIN, MAX and AVG`, token, ['COUNT', 'SUM', 'MIN', 'MAX', 'AVG']);
    this.expect('(');
    const distinct = this.#keyword() === 'distinct';
    if (distinct) this.next();
    if (distinct && (name === 'sum' || name === 'avg'))
      throw this.wrong('syntax', `${token.raw}(DISTINCT ..) has no counterpart here; give each value once by a rule of its own, and take the ${name} of that`, token);
    const of = name === 'count' && !distinct && this.accept('*') ? undefined : this.value();
    this.expect(')');
    return { function: name, distinct, ...(of ? { of } : {}), result: this.#as().text, token };
  }

  /** The conditions in our terms: variables of NOT and AGGREGATE that the rest of the rule has by chance only get names of their own. */
  #resolved(heads: readonly PlacedItem<Atom>[], conditions: readonly Condition[]): PlacedItem[] {
    const outer = new Set<string>();
    for (const { item } of [...heads, ...conditions.filter(isPlain)]) for (const name of itemVariables(item)) outer.add(name);
    for (const one of conditions) if ('binds' in one) for (const name of [...one.group, ...one.binds.map(({ result }) => result)]) outer.add(name);
    return conditions.flatMap((one): PlacedItem[] => {
      if (isPlain(one)) return [one];
      if ('binds' in one) return this.#aggregates(one, outer);
      const own = new Set(one.none.flatMap(({ item }) => [...itemVariables(item)]).filter((name) => !outer.has(name)));
      return [noneOf(one.none, [...own], one.token)];
    });
  }
  #aggregates({ body, group, binds }: Grouped, outer: ReadonlySet<string>): PlacedItem[] {
    const own = [...new Set(body.flatMap(({ item }) => [...itemVariables(item)]))].filter((name) => !group.includes(name));
    const renamed = (names: Iterable<string>): Record<string, RuleTerm> => Object.fromEntries(Array.from(names, (name) => [name, this.#own()]));
    const apart = renamed(own.filter((name) => outer.has(name)));
    const inside = body.map(({ item }) => substituteItem(item, apart)) as (Atom | Comparison)[];
    const ways = own.map((name): RuleTerm => apart[name] ?? variable(name));
    // A group is there when there is something in it.
    const some = renamed(own);
    const there = group.length === 0 ? [] : body.map(({ item, places }): PlacedItem => ({ item: substituteItem(item, some), places }));
    return [
      ...there,
      ...binds.map((bind): PlacedItem => {
        const items = [...inside];
        let of = ways;
        if (bind.of && (bind.distinct || bind.function !== 'count')) {
          const { value } = bind.of;
          for (const name of variablesOf(value))
            if (!own.includes(name) && !group.includes(name)) throw this.wrong('unsafe', `variable ?${name} stands in no condition of AGGREGATE(..)`, bind.of.token);
          let term: RuleTerm;
          if (value.kind === 'call' || value.kind === 'list') {
            term = this.fresh();
            items.push(substituteItem<Comparison>({ kind: 'compare', operator: '=', left: term, right: value }, apart));
          } else term = value.kind === 'variable' ? (apart[value.name] ?? value) : value;
          of = [term];
        }
        const item: Aggregate = { kind: 'aggregate', function: bind.function, result: variable(bind.result), of: of.length > 0 ? of : [literal(1)], body: items };
        return { item, places: [placeOf(bind.token), placeOf(bind.token)] };
      }),
    ];
  }
  /** A variable that counts as one of the rule's own: those that begin with "_" would not multiply ways. */
  #own(): Variable {
    return variable(`own${this.fresh().name}`);
  }
}
