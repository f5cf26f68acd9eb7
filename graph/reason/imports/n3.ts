// Owns reading Notation3 rules, `{ ?x :parent ?y } => { ?y :child ?x } .`, and the facts among them.
// Refuses what has no counterpart here: formulas as values, new things in conclusions, predicates that are variables.

import { literal } from '../../terms.ts';
import { itemVariables, outerVariables } from '../language/body.ts';
import { RuleError } from '../errors.ts';
import { runNow } from '../evaluate/run.ts';
import { EMPTY_LIST, FIRST, REST } from '../rulesets/owl/schema.ts';
import type { ReadRules } from '../language/parse.ts';
import { shortHash } from '../language/print.ts';
import { builtinOf, N3BuiltinReader, OF_COLLECTED, SWAP } from './n3-builtins.ts';
import type { NameStyle } from './rdf-names.ts';
import type { RdfTerm } from './rdf-reader.ts';
import type { RdfToken } from './rdf-tokens.ts';
import { placeOf } from './source-tokens.ts';
import { noneOf } from './token-reader.ts';
import type { PlacedItem } from './token-reader.ts';
import type { Aggregate, AggregateFunction, Atom, RuleTerm } from '../types.ts';

const TYPE = 'http://www.w3.org/1999/02/22-rdf-syntax-ns#type';
const SAME = 'http://www.w3.org/2002/07/owl#sameAs';

/** Reads as much of an N3 text as is right, and says what is wrong with the rest. */
export const readN3 = (text: string, names?: NameStyle): ReadRules => runNow(readingN3(text, names));
/** The same in slices. */
export function* readingN3(text: string, names: NameStyle = 'local'): Generator<void, ReadRules> {
  try {
    return yield* new N3Reader(text, names).reading();
  } catch (error) {
    if (error instanceof RuleError) return { rules: [], errors: [error], places: new Map() };
    throw error;
  }
}

interface Denied {
  readonly items: readonly PlacedItem[];
  readonly token: RdfToken;
}
interface Collected {
  readonly of: RuleTerm;
  readonly formula: readonly PlacedItem[];
  readonly token: RdfToken;
  taken: boolean;
}

class N3Reader extends N3BuiltinReader {
  /** What tells nameless nodes of this text from those of others. */
  readonly #mark: string;
  #nodes = 0;
  #formulas = false;
  /** Formulas around the place that is read. */
  #depth = 0;
  /** Of the rule that is read: formulas of which nothing must be met, lists that are collected, variables for where all that is known is, and nodes without a name. */
  #denied: Denied[] = [];
  readonly #collected = new Map<string, Collected>();
  readonly #scopes = new Map<string, RdfToken>();
  readonly #made = new Map<string, RdfToken>();

  constructor(text: string, names: NameStyle) {
    super(text, names);
    this.#mark = shortHash(text).slice(0, 8);
  }
  protected override recover(): void {
    if (this.before === '.') return;
    for (let depth = 0; !this.atEnd(); this.next()) {
      if (this.is('{')) depth++;
      if (this.is('}')) depth--;
      if (this.is('.') && depth <= 0) {
        this.next();
        return;
      }
    }
  }

  protected override statement(): void {
    if (this.directive()) return;
    const { token } = this;
    this.#formulas = false;
    const isRule = this.is('{') || ((this.#isWord('true') || this.#isWord('false')) && (this.is('=>', 1) || this.is('<=', 1)));
    if (!isRule) {
      const facts: PlacedItem[] = [];
      this.#triples(facts);
      this.expect('.', '";"', '","');
      for (const fact of facts) this.add(undefined, this.#heads([fact], token), [], token);
      return;
    }
    this.#depth = 0;
    this.#denied = [];
    for (const each of [this.#collected, this.#scopes, this.#made]) each.clear();
    const first = this.#side();
    const denied = this.#denied.splice(0);
    const backwards = this.is('<=');
    if (!this.accept('=>') && !this.accept('<=') && !this.#implies()) throw this.expected('"=>"', '"<="');
    const at = this.token;
    const second = this.#side();
    this.expect('.');
    const [body, concluded] = backwards ? [second, first] : [first, second];
    if (!body) throw this.wrong('syntax', 'false is never met, so this rule concludes nothing', backwards ? at : token);
    const constraint = concluded === undefined;
    const heads = concluded ?? [];
    this.#nothingNew(heads, body, token);
    const [above, below] = backwards ? [denied, this.#denied] : [this.#denied, denied];
    if (above.length > 0) throw this.#notConcluded(above[0].token);
    if (heads.length === 0 && !constraint) throw this.wrong('syntax', 'nothing is concluded; "=> false" says that the premise must not hold', backwards ? token : at);
    this.add(undefined, this.#heads(heads, token), this.#scoped(heads, body, below), token);
  }
  /** A formula, or `true` for an empty one; undefined for `false`. */
  #side(): PlacedItem[] | undefined {
    if (this.#acceptWord('false')) return undefined;
    return this.#acceptWord('true') ? [] : this.#formula();
  }
  #isWord(word: string): boolean {
    const { kind, text } = this.token;
    return kind === 'word' && text === word;
  }
  #acceptWord(word: string): boolean {
    const found = this.#isWord(word);
    if (found) this.next();
    return found;
  }
  /** `log:implies`. */
  #implies(): boolean {
    const { token } = this;
    if ((token.kind !== 'prefixed' && token.kind !== 'iri') || this.expand(token) !== `${SWAP}log#implies`) return false;
    this.next();
    return true;
  }
  /** A nameless node that only a conclusion has would be a new thing each time. */
  #nothingNew(heads: readonly PlacedItem[], body: readonly PlacedItem[], token: RdfToken): void {
    const met = new Set(body.flatMap(({ item }) => [...itemVariables(item)]));
    const fresh = heads.flatMap(({ item }) => [...itemVariables(item)]).find((name) => name.startsWith('_') && !met.has(name));
    if (fresh === undefined) return;
    const made = this.#made.get(fresh);
    const what = made ? `${made.raw === '(' ? 'a list' : made.raw === '[' ? '[..]' : 'what a path leads to'} stands` : `_:${fresh.slice(1)} stands`;
    throw this.wrong('unsafe', `${what} in the conclusion only: it would be a new thing each time, and rules make none; name what is meant, or let a condition find it`, made ?? token);
  }
  /** The conditions with those that must not be met, and with what is taken of all ways to meet some. */
  #scoped(heads: readonly PlacedItem[], body: readonly PlacedItem[], denied: readonly Denied[]): PlacedItem[] {
    const outer = outerVariables({ heads: [], body: [...heads, ...body].map(({ item }) => item) });
    for (const [name, token] of this.#scopes)
      if (outer.has(name)) throw this.wrong('syntax', `?${name} has a value, and stands for where all that is known is; only that can be looked into`, token);
    for (const [name, { token, taken }] of this.#collected)
      if (outer.has(name) || !taken)
        throw this.wrong('syntax', `?${name} is the list that log:collectAllIn makes; of such a list only ${[...OF_COLLECTED.keys()].map((key) => key.replace('#', ':')).join(', ')} can be taken here`, token);
    const nothing = denied.map(({ items, token }) => {
      const own = new Set(items.flatMap(({ item }) => [...itemVariables(item)])).difference(outer);
      return noneOf(items, [...own], token);
    });
    return [...body, ...nothing];
  }
  #notConcluded(token: RdfToken): RuleError {
    return this.wrong('syntax', 'a built-in cannot be concluded; it stands before "=>" only', token);
  }
  #heads(items: readonly PlacedItem[], token: RdfToken): PlacedItem<Atom>[] {
    return items.map(({ item, places }) => {
      if ('kind' in item) throw this.#notConcluded(token);
      return { item, places };
    });
  }

  #formula(): PlacedItem[] {
    const items: PlacedItem[] = [];
    this.expect('{');
    this.#formulas = true;
    this.#depth++;
    while (!this.is('}')) {
      this.#triples(items);
      if (!this.accept('.') && !this.is('}')) throw this.expected('"."', '"}"');
    }
    this.next();
    this.#depth--;
    return items;
  }
  /** One subject with its predicates and objects. */
  #triples(items: PlacedItem[]): void {
    this.#about(this.#term(items), items);
  }
  /** What is said of a subject. */
  #about(subject: RdfTerm, items: PlacedItem[]): void {
    do {
      if (this.is('.') || this.is('}') || this.is(']')) return;
      const [predicate, backwards] = this.#verb();
      do {
        const object = this.#term(items);
        if (backwards) this.#say(object, predicate, subject, items);
        else this.#say(subject, predicate, object, items);
      } while (this.accept(','));
    } while (this.accept(';'));
  }
  /** A predicate, which may lead from the object to the subject: `is :p of`, `<- :p`. */
  #verb(): readonly [predicate: RdfTerm, backwards: boolean] {
    if (this.accept('<-')) return [this.#predicate(), true];
    if (!this.#acceptWord('is')) {
      this.#acceptWord('has');
      return [this.#predicate(), false];
    }
    const predicate = this.#predicate();
    if (!this.#acceptWord('of')) throw this.expected('"of"');
    return [predicate, true];
  }
  #predicate(): RdfTerm {
    const { token } = this;
    const { kind, text } = token;
    const iri = kind === 'word' && text === 'a' ? TYPE : kind === 'sign' && text === '=' ? SAME : kind === 'iri' || kind === 'prefixed' ? this.expand(token) : '';
    const name = iri === TYPE ? 'is a' : iri === SAME ? 'same as' : iri.startsWith(SWAP) ? iri : undefined;
    if (name === undefined) return this.term();
    this.next();
    // These are names of the vocabulary, or built-ins, whose names are nobody's here.
    return { ...this.named(token, name), iri };
  }
  /** A term, or a path from one: `?x!:p` is what ?x has as :p, `?x^:p` what has ?x as :p. What nameless nodes hold goes into `items`. */
  #term(items: PlacedItem[]): RdfTerm {
    let from = this.#step(items);
    while (this.is('!') || this.is('^')) {
      const token = this.next();
      const [node, predicate] = [this.#nameless(token), this.#predicate()];
      if (token.text === '!') this.#say(from, predicate, node, items);
      else this.#say(node, predicate, from, items);
      from = node;
    }
    return from;
  }
  #step(items: PlacedItem[]): RdfTerm {
    const { token } = this;
    if (this.is('{')) {
      if (!this.#formulas) throw this.wrong('syntax', 'a formula that is no rule has no counterpart here');
      return { value: { kind: 'list', items: [] }, formula: this.inside(() => this.#formula()), token };
    }
    if (token.kind === 'blank' && !this.#formulas) {
      this.next();
      return this.#node(token, token.text);
    }
    if (this.accept('[')) {
      const node = this.#nameless(token);
      this.inside(() => this.#about(node, items));
      this.expect(']', '";"', '","');
      return node;
    }
    if (!this.accept('(')) return this.term();
    const list: RdfTerm[] = [];
    while (!this.is(')')) list.push(this.inside(() => this.#term(items)));
    this.next();
    // In a rule it may be the values of a built-in, or a list that facts speak of.
    const made: RdfTerm = { value: { kind: 'list', items: [] }, list, token };
    return this.#formulas ? made : this.node(made, items);
  }
  /** A node that `[` or `(` stands for: among facts it has a name of its own, in rules it is anything. */
  #nameless(token: RdfToken): RdfTerm {
    if (!this.#formulas) return this.#node(token);
    const value = this.fresh();
    this.#made.set(value.name, token);
    return { value, token };
  }
  /** A node that has no name, or one in this text alone. */
  #node(token: RdfToken, name = `#${++this.#nodes}`): RdfTerm {
    return this.named(token, `_:${name}-${this.#mark}`);
  }
  /** A list becomes its first node; what is said of the nodes goes into `items`. */
  protected override node(term: RdfTerm, items: PlacedItem[]): RdfTerm {
    if (term.formula) throw this.wrong('syntax', 'a formula inside a formula has no counterpart here', term.token);
    const { list, token } = term;
    if (!list) return term;
    let rest = this.named(token, EMPTY_LIST);
    for (const member of list.toReversed()) {
      const node = this.#nameless(token);
      items.push(this.triple(node, this.named(token, FIRST), this.node(member, items)), this.triple(node, this.named(token, REST), rest));
      rest = node;
    }
    return rest;
  }
  #say(subject: RdfTerm, predicate: RdfTerm, object: RdfTerm, items: PlacedItem[]): void {
    const name = builtinOf(predicate);
    const of = name === undefined ? undefined : OF_COLLECTED.get(name);
    const collected = subject.value.kind === 'variable' ? this.#collected.get(subject.value.name) : undefined;
    if (name === undefined) items.push(this.triple(this.node(subject, items), predicate, this.node(object, items)));
    else if (of && collected) items.push(this.#taken(of, collected, object, predicate.token));
    else if (name === 'log#includes' || name === 'log#notIncludes') this.#included(subject, predicate.token, object, name === 'log#includes' ? items : undefined);
    else if (name === 'log#collectAllIn') this.#collect(subject, predicate.token, object);
    else if (name === 'log#forAllIn') this.#forAll(subject, predicate.token, object);
    else items.push(this.builtin(name, subject, predicate, object, items));
  }
  /** What all that is known includes, or does not include. */
  #included(scope: RdfTerm, token: RdfToken, { formula, token: at }: RdfTerm, items: PlacedItem[] | undefined): void {
    this.#inScope(scope, token);
    if (!formula) throw this.wrong('syntax', `behind ${token.raw} stands a formula, such as {?x :p ?y}`, at, ['"{"']);
    if (items) items.push(...formula);
    else if (formula.length === 0) throw this.wrong('syntax', `an empty formula is part of everything, so ${token.raw} never holds`, at);
    else this.#denied.push({ items: formula, token });
  }
  /** `(?x {..} ?list) log:collectAllIn ?SCOPE`: what is taken of the list comes behind. */
  #collect({ list = [], token: at }: RdfTerm, token: RdfToken, scope: RdfTerm): void {
    this.#inScope(scope, token);
    const [of, { formula } = of, into] = list;
    if (list.length !== 3 || !formula || into.value.kind !== 'variable' || of.list || of.formula)
      throw this.wrong('syntax', `in front of ${token.raw} stands (?x {..} ?list): a value, a formula, a variable for the list`, at);
    this.#collected.set(into.value.name, { of: of.value as RuleTerm, formula, token: into.token, taken: false });
  }
  /** `({A} {B}) log:forAllIn ?SCOPE`: there is nothing of which A holds and not B. */
  #forAll({ list = [], token: at }: RdfTerm, token: RdfToken, scope: RdfTerm): void {
    this.#inScope(scope, token);
    const [{ formula: all } = {}, { formula: then = [] } = {}] = list as readonly Partial<RdfTerm>[];
    const [condition] = then;
    if (list.length !== 2 || !all || then.length !== 1 || 'kind' in condition.item || condition.item.absent)
      throw this.wrong('syntax', `in front of ${token.raw} stands ({..} {?x :p ?y}): a formula, and one with one triple that has to hold where the first does`, at);
    this.#denied.push({ items: [...all, { item: { ...condition.item, absent: true }, places: condition.places }], token });
  }
  #taken(name: AggregateFunction, collected: Collected, result: RdfTerm, token: RdfToken): PlacedItem {
    collected.taken = true;
    const names = [...new Set(collected.formula.flatMap(({ item }) => [...itemVariables(item)]))];
    const nameless = names.find((each) => each.startsWith('_'));
    if (nameless !== undefined && name !== 'count')
      throw this.wrong('syntax', 'a node without a name in what is collected is not told apart here; write a variable such as ?x', this.#made.get(nameless) ?? collected.token);
    // Every way to meet the formula counts.
    const of = name === 'count' ? (names.length > 0 ? names.map((each) => ({ kind: 'variable' as const, name: each })) : [literal(1)]) : [collected.of];
    const { value } = this.node(result, []);
    if (value.kind === 'call' || value.kind === 'list') throw this.wrong('syntax', 'a list has no counterpart as a value here', result.token);
    const body = collected.formula.map(({ item }) => item) as Aggregate['body'];
    return { item: { kind: 'aggregate', function: name, result: value, of, body }, places: [placeOf(token), placeOf(result.token)] };
  }
  /** Only all that is known can be looked into, so the scope is a variable, a node of which no more is said, or a number, as EYE reads it. */
  #inScope({ value, list, formula, token }: RdfTerm, verb: RdfToken): void {
    const isPriority = value.kind === 'literal' && value.type === 'number';
    if (formula || (list ? list.length > 0 : value.kind !== 'variable' && !isPriority))
      throw this.wrong('syntax', `${verb.raw} is read about all that is known, with a variable for where that is, such as ?SCOPE; ${formula ? 'a formula' : list ? 'a list' : token.raw} cannot be looked into`, token);
    if (this.#depth > 1) throw this.wrong('syntax', `${verb.raw} inside a formula that is itself asked about has no counterpart here`, verb);
    if (value.kind === 'variable') this.#scopes.set(value.name, token);
  }
}
