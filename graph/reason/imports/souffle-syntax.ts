// Owns the grammar of Soufflé programs: directives that are understood or passed over, clauses as they stand.
// Refuses to know what they mean here; what has no counterpart is refused by its name.

import type { Formula } from './alternatives.ts';
import { sourceTokens } from './source-tokens.ts';
import type { SourceToken, TokenPatterns } from './source-tokens.ts';
import { COMPARE_SIGNS, SouffleValues } from './souffle-values.ts';
import type { Literal, SouffleAtom } from './souffle-values.ts';

const PATTERNS: TokenPatterns = [
  ['skip', /[\s\uFEFF]+|\/\/[^\n]*|\/\*[^]*?\*\//uy],
  ['text', /"((?:[^"\\\n]|\\.)*)"/uy],
  ['number', /\d+\.\d+(?:[eE][+-]?\d+)?|(?:0x[0-9a-fA-F]+|0b[01]+|\d+)u?/uy],
  ['directive', /\.([a-z_]+)(?![\w(])|#[ \t]*([a-z]+)/uy],
  ['word', /([\p{L}_?][\p{L}\p{M}\p{N}_?]*)/uy],
  ['sign', /:-|<=|>=|!=|<:|[().,:;!<>=+*/%^{}[\]$|@-]/uy],
];

export interface Clause {
  readonly heads: readonly SouffleAtom[];
  readonly body: Formula<Literal>;
  readonly token: SourceToken;
  readonly span: readonly [number, number];
}

export abstract class SouffleSyntax extends SouffleValues {
  readonly clauses: Clause[] = [];
  /** Types of the places of declared relations. */
  readonly declared = new Map<string, readonly string[]>();
  readonly #types = new Map<string, string>();
  /** What was refused has been passed already. */
  #behind = false;

  constructor(text: string) {
    super(sourceTokens(text, PATTERNS));
  }
  protected override recover(): void {
    const behind = this.#behind;
    this.#behind = false;
    if (behind || this.before === '.') return;
    while (!this.atEnd() && this.token.kind !== 'directive') if (this.next().raw === '.') return;
  }
  protected override statement(): void {
    const { token } = this;
    if (token.kind === 'directive') return this.#directive();
    const heads: SouffleAtom[] = [];
    do heads.push(this.atom(false));
    while (this.accept(','));
    if (this.is('<=')) throw this.wrong('syntax', 'subsumption (.. <= ..) has no counterpart here');
    const body: Formula<Literal> = this.accept(':-') ? this.formula() : { all: [] };
    this.expect('.', ...('all' in body && body.all.length === 0 ? ['":-"', '","'] : ['","', '";"']));
    this.clauses.push({ heads, body, token, span: this.span() });
  }
  /** The built-in type behind a name of a type. */
  base(type: string): string {
    for (let i = 0; i < 64 && this.#types.has(type); i++) type = this.#types.get(type) as string;
    return type;
  }

  #directive(): void {
    const token = this.next();
    switch (token.raw.startsWith('#') ? token.raw : token.text) {
      case 'decl':
        return this.#declaration();
      case 'type':
        return this.#type();
      case 'number_type':
      case 'symbol_type':
        this.#types.set(this.word('the name of a type'), token.text.replace('_type', ''));
        return;
      case 'input':
      case 'output':
      case 'printsize':
      case 'limitsize':
        // Facts are those of the knowledge base, and so is what follows.
        do {
          this.word('the name of a relation');
          if (this.is('(')) this.#skip();
        } while (this.accept(','));
        return;
      case 'pragma':
        while (this.token.kind === 'text') this.next();
        return;
      case 'plan':
        do {
          this.next();
          this.expect(':');
          this.#skip();
        } while (this.accept(','));
        return;
      default:
        // Most end with their line, components with their braces.
        if (token.text === 'comp') this.#skipTo('{', '}');
        else while (this.token.line === token.line && !this.atEnd()) this.next();
        this.#behind = true;
        throw this.wrong('syntax', `${token.raw} has no counterpart here; of the directives .decl and .type are read, .input, .output, .printsize, .limitsize, .pragma and .plan passed over`, token);
    }
  }
  /** Goes behind the brackets that begin here. */
  #skip(): void {
    if (!this.is('(')) throw this.expected('"("');
    this.#skipTo('(', ')');
  }
  /** Goes behind the next brackets of these. */
  #skipTo(open: string, close: string): void {
    for (let depth = 0; !this.atEnd();) {
      if (this.is(open)) depth++;
      if (this.is(close)) depth--;
      if (this.next().raw === close && depth <= 0) return;
    }
    throw this.expected(`"${close}"`);
  }
  #declaration(): void {
    const names: SourceToken[] = [];
    do {
      if (this.token.kind !== 'word') throw this.expected('the name of a relation');
      names.push(this.next());
    } while (this.accept(','));
    this.expect('(', '","');
    const types: string[] = [];
    while (!this.is(')')) {
      this.word('the name of an attribute');
      this.expect(':');
      types.push(this.word('a type'));
      if (!this.accept(',') && !this.is(')')) throw this.expected('","', '")"');
    }
    this.next();
    if (types.length === 0 || types.length > 2) throw this.#places(names[0], types.length);
    for (const name of names) this.declared.set(name.text, types);
    while (this.token.kind === 'word' && !this.is('(', 1)) {
      const word = this.next();
      if (word.text === 'eqrel') throw this.wrong('syntax', 'eqrel has no counterpart here; write the rules that make the relation reflexive, symmetric and transitive', word);
      if (word.text === 'choice') throw this.wrong('syntax', 'choice-domain has no counterpart here', word);
    }
  }
  #places(token: SourceToken, count: number): Error {
    return this.wrong('arity', `${token.text} has ${count === 0 ? 'no places' : `${count} places`}, and a relation here has one or two; with more, let an entity stand for each row and give it a relation for each place`, token);
  }
  #type(): void {
    const name = this.word('the name of a type');
    if (!this.accept('<:') && !this.accept('=')) throw this.expected('"<:"', '"="');
    do {
      if (this.is('[')) throw this.wrong('syntax', 'records have no counterpart here; let an entity stand for each, with a relation for each of its parts');
      const type = this.word('a type');
      if (this.is('{')) throw this.wrong('syntax', 'algebraic data types have no counterpart here; let an entity stand for each value');
      this.#types.set(name, type);
    } while (this.accept('|'));
  }

  protected override formula(): Formula<Literal> {
    const any: Formula<Literal>[] = [];
    do {
      const all: Formula<Literal>[] = [];
      do all.push(this.#literal());
      while (this.accept(','));
      any.push({ all });
    } while (this.accept(';'));
    return any.length === 1 ? any[0] : { any };
  }
  #literal(): Formula<Literal> {
    const { token } = this;
    if (this.is('(') && !this.#isValue()) {
      this.next();
      const inner = this.inside(() => this.formula());
      this.expect(')', '","', '";"');
      return inner;
    }
    const denied = this.accept('!');
    const at = this.token;
    if (denied && this.is('(')) throw this.wrong('syntax', '"!" stands before one relation here; compute the rest by a rule of its own', token);
    if (at.kind === 'word' && this.is('(', 1)) {
      if (at.text === 'contains' || at.text === 'match') {
        this.next();
        const values = this.arguments();
        if (values.length !== 2) throw this.wrong('arity', `${at.text} takes 2 values, not ${values.length}`, at);
        return { one: { kind: 'test', function: at.text === 'match' ? 'matches' : 'contains', arguments: [values[0], values[1]], denied, token: at } };
      }
      if (denied || !this.isFunction()) return { one: this.atom(denied) };
    }
    if (denied) throw this.expected('a relation');
    if (at.kind === 'word' && (at.text === 'true' || at.text === 'false') && !COMPARE_SIGNS.some((sign) => this.is(sign, 1))) {
      this.next();
      return at.text === 'true' ? { all: [] } : { any: [] };
    }
    const left = this.sum();
    const operator = COMPARE_SIGNS.find((sign) => this.is(sign));
    if (operator === undefined) throw this.expected(...(left.kind === 'variable' ? ['"("'] : []), 'a comparison (= != < <= > >=)');
    this.next();
    return { one: { kind: 'compare', operator, left, right: this.sum(), token } };
  }
  /** Do the brackets that begin here hold a value? */
  #isValue(): boolean {
    let depth = 0;
    for (let i = 0; this.ahead(i).kind !== 'end'; i++) {
      if (this.is('(', i)) depth++;
      if (this.is(')', i) && --depth === 0) return ['+', '-', '*', '/', '%', '^', ...COMPARE_SIGNS].some((sign) => this.is(sign, i + 1));
    }
    return false;
  }
  protected override atom(denied: boolean): SouffleAtom {
    const { token } = this;
    if (token.kind !== 'word') throw this.expected('a relation', ...(denied ? [] : ['a directive such as .decl']));
    this.next();
    const values = this.arguments();
    if (values.length === 0 || values.length > 2) throw this.#places(token, values.length);
    const types = this.declared.get(token.text);
    if (types && types.length !== values.length)
      throw this.wrong('arity', `${token.text} was declared with ${types.length === 1 ? 'one place' : 'two places'}, and has ${values.length} here`, token);
    return { kind: 'atom', relation: token.text, arguments: values, denied, token };
  }
}
