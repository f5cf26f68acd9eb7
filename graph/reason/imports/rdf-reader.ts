// Owns what N3, Jena and RDFox rules have in common: prefixes, terms and triples.
// Refuses to know their grammars.

import { entity, literal, parseEntityId, parseNumber, parseRelationName } from '../../terms.ts';
import type { Literal } from '../../terms.ts';
import { resolveIri } from './iri.ts';
import { IriNames, KNOWN_PREFIXES, XSD } from './rdf-names.ts';
import type { NameStyle } from './rdf-names.ts';
import { RDF_PATTERNS } from './rdf-tokens.ts';
import type { RdfToken } from './rdf-tokens.ts';
import { FIRST, REST } from '../rulesets/owl/schema.ts';
import { placeOf, sourceTokens } from './source-tokens.ts';
import type { SourceToken, TokenPatterns } from './source-tokens.ts';
import { TokenReader } from './token-reader.ts';
import type { PlacedItem, SourceTerm } from './token-reader.ts';
import { isNumeric, numberOf } from './xsd-numbers.ts';
import type { Atom, RuleTerm } from '../types.ts';

/** A term with the IRI it was, where it was one, so that built-ins are told from relations. */
export interface RdfTerm extends SourceTerm {
  readonly iri?: string;
  readonly list?: readonly RdfTerm[];
  /** What stands between `{` and `}`. */
  readonly formula?: readonly PlacedItem[];
}

/** The relation of a list to its members; rules that say so are added where a condition needs it. */
export const LIST_MEMBER = 'list member';

export abstract class RdfReader extends TokenReader {
  readonly #prefixes = new Map(KNOWN_PREFIXES);
  readonly #names: IriNames;
  /** Variables of nodes with a label, by label. */
  readonly #labels = new Map<string, string>();
  readonly #variables = new Set<string>();
  #base = '';
  /** Where the members of a list are first sought. */
  #sought: SourceToken | undefined;

  constructor(text: string, names: NameStyle, patterns: TokenPatterns = RDF_PATTERNS) {
    super(sourceTokens(text, patterns));
    this.#names = new IriNames(names);
  }

  /** `@prefix ex: <..> .`, `PREFIX ex: <..>`, `@base <..> .`; false when none stands here. */
  directive(): boolean {
    const { token } = this;
    const word = token.kind === 'directive' ? token.text : token.kind === 'word' && /^(prefix|base)$/iu.test(token.text) ? token.text.toLowerCase() : undefined;
    if (word === undefined) return false;
    if (word === 'include') throw this.wrong('syntax', 'rules of other files cannot be included; give their text');
    this.next();
    if (word === 'prefix') {
      const prefix = this.next();
      if (prefix.kind !== 'prefixed' || !prefix.text.endsWith(':'))
        throw this.wrong('syntax', `expected a prefix such as ex: but found "${prefix.raw}"`, prefix, ['a prefix']);
      this.#prefixes.set(prefix.text.slice(0, -1), this.#iri());
    } else this.#base = this.#iri();
    this.accept('.');
    return true;
  }
  #iri(): string {
    const token = this.next();
    if (token.kind !== 'iri') throw this.wrong('syntax', `expected an IRI such as <http://example.org/> but found "${token.raw}"`, token, ['an IRI']);
    return resolveIri(this.#base, token.text);
  }
  expand(token: RdfToken): string {
    if (token.kind === 'iri') return resolveIri(this.#base, token.text);
    const colon = token.text.indexOf(':');
    const start = this.#prefixes.get(token.text.slice(0, colon));
    if (start === undefined && colon > 0)
      throw this.wrong(
        'syntax',
        `the prefix ${token.text.slice(0, colon)}: is not declared; write @prefix ${token.text.slice(0, colon)}: <http://example.org/> .`,
        token,
      );
    return (start ?? ':') + token.text.slice(colon + 1);
  }
  /** A variable, an IRI or a literal. */
  term(): RdfTerm {
    const { token } = this;
    switch (token.kind) {
      case 'variable':
        this.next();
        return { value: { kind: 'variable', name: token.text }, token };
      case 'blank':
        this.next();
        return { value: { kind: 'variable', name: this.#variableOf(token.text) }, token };
      case 'iri':
      case 'prefixed': {
        this.next();
        const iri = this.expand(token);
        return { value: this.convert(token, () => entity(parseEntityId(this.#name(iri, token)))), iri, token };
      }
      case 'number':
        this.next();
        return { value: this.convert(token, () => literal(parseNumber(token.text))), token };
      case 'text':
        this.next();
        return { value: this.#literal(token), token };
      case 'word':
        if (token.text === 'true' || token.text === 'false') {
          this.next();
          return { value: literal(token.text === 'true'), token };
        }
        throw this.expected('a variable', 'a name', 'a literal');
      default:
        throw this.expected('a variable', 'a name', 'a literal');
    }
  }
  /** Two labels never make one variable, and no label makes one of `fresh`. */
  #variableOf(label: string): string {
    const known = this.#labels.get(label);
    if (known !== undefined) return known;
    const plain = `_${/^\d/u.test(label) ? 'n' : ''}${label.replace(/[^\p{L}\p{M}\p{N}_]/gu, '_')}`;
    let name = plain;
    for (let i = 2; this.#variables.has(name); i++) name = `${plain}_${i}`;
    this.#labels.set(label, name);
    this.#variables.add(name);
    return name;
  }
  /** What a bare word names. */
  named(token: RdfToken, name = token.text): RdfTerm {
    return { value: this.convert(token, () => entity(parseEntityId(name))), token };
  }
  #literal(token: RdfToken): Literal {
    if (this.token.kind === 'language') {
      this.next();
      return this.convert(token, () => literal(token.text, 'string'));
    }
    if (!this.accept('^^')) return this.convert(token, () => literal(token.text, 'string'));
    const type = this.next();
    const name = type.kind === 'iri' || type.kind === 'prefixed' ? this.expand(type) : '';
    const kind = name.startsWith(XSD) ? name.slice(XSD.length) : '';
    return this.convert(token, () => {
      if (isNumeric(kind)) return numberOf(token.text, kind);
      if (kind === 'boolean')
        return literal(token.text === 'true' || token.text === '1' ? true : token.text === 'false' || token.text === '0' ? false : token.text, 'boolean');
      if (/^(date|dateTime|dateTimeStamp|gYear|gYearMonth)$/u.test(kind)) return literal(token.text, 'date');
      return literal(token.text, 'string');
    });
  }
  #name(iri: string, token: RdfToken): string {
    try {
      return this.#names.nameOf(iri);
    } catch (error) {
      if (error instanceof RangeError) throw this.wrong('invalid_term', error.message, token);
      throw error;
    }
  }
  /** The atom of a triple. */
  triple(subject: RdfTerm, predicate: RdfTerm, object: RdfTerm): PlacedItem<Atom> {
    if (predicate.value.kind !== 'entity')
      throw this.wrong(
        'invalid_term',
        `${predicate.token.raw} stands as predicate; a rule names its relations, so write one rule for each relation, or add the rule set "rdfs" or "owl2-rl"`,
        predicate.token,
      );
    const [from, to] = [this.#plain(subject), this.#plain(object)];
    if (from.kind === 'literal') throw this.wrong('invalid_term', `${subject.token.raw} is a literal and cannot be a subject`, subject.token);
    const { id } = predicate.value;
    const item: Atom = { relation: this.convert(predicate.token, () => parseRelationName(id)), subject: from, object: to };
    return { item, places: [placeOf(subject.token), placeOf(object.token)] };
  }
  /** The list has this member. */
  protected member(list: RdfTerm, member: RdfTerm, token: SourceToken): PlacedItem<Atom> {
    this.#sought ??= token;
    return this.triple(list, this.named(token, LIST_MEMBER), member);
  }
  protected override *afterwards(): Generator<() => void> {
    const token = this.#sought;
    if (!token) return;
    const [list, rest, member] = ['list', 'rest', 'member'].map((name): RdfTerm => ({ value: { kind: 'variable', name }, token }));
    const says = (subject: RdfTerm, relation: string, object: RdfTerm): PlacedItem<Atom> => this.triple(subject, this.named(token, relation), object);
    yield () => this.add(undefined, [says(list, LIST_MEMBER, member)], [says(list, FIRST, member)], token);
    yield () => this.add(undefined, [says(list, LIST_MEMBER, member)], [says(list, REST, rest), says(rest, LIST_MEMBER, member)], token);
  }
  #plain({ value, token }: RdfTerm): RuleTerm {
    if (value.kind === 'call' || value.kind === 'list') throw this.wrong('syntax', 'a list stands only beside a built-in, such as (?x ?y) math:sum ?z', token);
    return value;
  }
}
