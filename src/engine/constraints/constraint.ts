// Owns which constraint a request asks for, made ready for a vocabulary.
// Refuses to know how likely a token is.

import type { ConstraintSpec, TextLimits } from '../port.ts';
import type { Expression, Grammar } from './grammar/expression.ts';
import { characters, choice, literal, sequence, sequenceOf, token } from './grammar/expression.ts';
import { parseGbnf } from './grammar/gbnf.ts';
import type { NamedTokens } from './grammar/gbnf.ts';
import { jsonObject, schemaGrammar } from './json/json-schema.ts';
import { checkLimits, LimitedConstraint } from './limits/limited.ts';
import type { ThoughtMarks } from './limits/limited.ts';
import { DistinctItems } from './masks/distinct-items.ts';
import { CompiledGrammar } from './masks/masks.ts';
import { ChoiceConstraint, NamesConstraint } from './names.ts';
import { invalid } from './grammar/network.ts';
import type { Constraint, ConstraintVocabulary } from './port.ts';
import { parseRegex } from './patterns/regex.ts';
import { StagedConstraint } from './staged.ts';
import { isWithin, limitsText } from './lengths/text-length.ts';
import type { TokenSet } from './tokens/token-set.ts';
import { GrammarWalk } from './masks/walk.ts';

class GrammarConstraint implements Constraint {
  readonly #walk: GrammarWalk;
  readonly #bytesOf: ConstraintVocabulary['bytesOf'];
  readonly #distinct: DistinctItems | undefined;
  #allowed: TokenSet | undefined;
  constructor(grammar: CompiledGrammar, { bytesOf, ahead }: ConstraintVocabulary) {
    this.#walk = new GrammarWalk(grammar, ahead?.());
    this.#bytesOf = bytesOf;
    this.#distinct = grammar.network.distinct.size > 0 ? new DistinctItems(grammar) : undefined;
  }
  allowed(): TokenSet {
    if (!this.#distinct) return this.#walk.allowed();
    return (this.#allowed ??= this.#distinct.allowed(this.#walk.machine, this.#walk.state, this.#walk.allowed()));
  }
  next(): TokenSet | undefined {
    return this.#distinct ? this.allowed() : this.#walk.next();
  }
  foresee(guess: readonly number[]): void {
    this.#walk.foresee(guess);
  }
  complete(): boolean {
    return this.#walk.complete();
  }
  accept(token: number): void {
    const bytes = this.#bytesOf(token);
    if (bytes) this.#distinct?.accept(this.#walk.machine, this.#walk.state, bytes);
    this.#allowed = undefined;
    if (!(bytes ? this.#walk.accept(bytes) : this.#walk.acceptToken(token))) throw new TypeError(`token ${token} is not allowed by the grammar here`);
  }
}

/** `vocabulary`: of the tokens that a grammar may name. Throws EngineError `constraint_invalid`. */
export function grammarOf(spec: Exclude<ConstraintSpec, { kind: 'names' }>, vocabulary?: ConstraintVocabulary): Grammar {
  switch (spec.kind) {
    case 'choice':
      return { root: choice(...spec.choices.map(literal)), rules: new Map() };
    case 'json':
      return jsonObject();
    case 'schema':
      return schemaGrammar(spec.schema);
    case 'regex':
      return { root: parseRegex(spec.pattern, { write: characters, search: false }), rules: new Map() };
    case 'grammar':
      return parseGbnf(spec.grammar, vocabulary && namedTokens(vocabulary));
    default:
      return spec satisfies never;
  }
}

function namedTokens({ size, ends, bytesOf, encode, special }: ConstraintVocabulary): NamedTokens {
  return {
    idOf: (text) => {
      const [only, ...others] = encode(text);
      const isText = only !== undefined && others.length === 0 && Buffer.from(bytesOf(only) ?? []).toString('utf8') === text;
      return special?.(text) ?? (isText ? only : undefined);
    },
    expressionOf: (id) => {
      if (id >= size) throw invalid(`the grammar names token ${id}; the model has ${size}`);
      if (ends.includes(id)) throw invalid(`the grammar names token ${id}, which ends a text; leave it out: a text ends where the grammar does`);
      const bytes = bytesOf(id);
      return bytes ? sequenceOf(Array.from(bytes, (byte): Expression => ({ kind: 'byte', ranges: [[byte, byte]] }))) : token(id);
    },
  };
}

/** How long the text may be, and the marks around thoughts, which are no part of it. */
export interface Limited {
  readonly limits: TextLimits;
  readonly marks?: ThoughtMarks;
}
/**
 * `front`: what every text has in front that is no part of it. Throws EngineError `constraint_invalid` for a constraint that no text of the model meets, that cannot be kept, or that asks for
 * more than the limits allow.
 */
export function compileConstraint(spec: ConstraintSpec, vocabulary: ConstraintVocabulary, limits?: TextLimits, front = ''): Constraint {
  if (spec.kind === 'names') return new NamesConstraint(spec.names, spec.words, vocabulary, spec);
  if (spec.kind === 'choice') {
    const choices = limits ? within(spec.choices, limits) : spec.choices;
    // Tokenizers may spell another text, with a space more or less, or with other forms of its characters.
    if (choices.every((text) => spelt(text, vocabulary) === front + text)) return new ChoiceConstraint(choices, vocabulary);
    return behind(front, { kind: 'choice', choices }, vocabulary);
  }
  if (!limits) return behind(front, spec, vocabulary);
  const text = constraintOf(JSON.stringify(spec), () => grammarOf(spec, vocabulary), vocabulary, { limits });
  return front === ''
    ? text
    : new StagedConstraint(
        constraintOf(JSON.stringify(['front', front]), () => ({ root: literal(front), rules: new Map() }), vocabulary),
        text,
      );
}
function behind(front: string, spec: Exclude<ConstraintSpec, { kind: 'names' }>, vocabulary: ConstraintVocabulary): Constraint {
  const made = (): Grammar => {
    const { root, rules } = grammarOf(spec, vocabulary);
    return { root: sequence(literal(front), root), rules };
  };
  return constraintOf(JSON.stringify([front, spec]), made, vocabulary);
}
const spelt = (text: string, { encode, bytesOf }: ConstraintVocabulary): string =>
  Buffer.concat(encode(text).map((id) => bytesOf(id) ?? new Uint8Array())).toString('utf8');
/** A grammar as a constraint; it is made ready once for its `key`. Throws EngineError `constraint_invalid`. */
export function constraintOf(key: string, make: () => Grammar, vocabulary: ConstraintVocabulary, limited?: Limited): Constraint {
  const grammar = compiled(key, make, vocabulary);
  if (!limited) return new GrammarConstraint(grammar, vocabulary);
  if (grammar.network.distinct.size > 0) throw invalid('limits of the text cannot be combined with uniqueItems over items of free values, nor with minProperties over free names; list the values or names, or leave one of them out');
  if (!limited.marks?.opened) checkLimits(grammar, limited.limits);
  return new LimitedConstraint(grammar, limited.limits, vocabulary, limited.marks);
}
function compiled(key: string, make: () => Grammar, vocabulary: ConstraintVocabulary): CompiledGrammar {
  let grammar = vocabulary.compiled.get(key);
  if (!grammar) {
    const { trie, size, ends, bytesOf } = vocabulary;
    grammar = new CompiledGrammar(make(), trie(), size, ends, bytesOf);
    vocabulary.compiled.set(key, grammar);
  }
  return grammar;
}
/** The choices that are within limits. */
function within(choices: readonly string[], limits: TextLimits): readonly string[] {
  const fitting = choices.filter((text) => isWithin(text, limits));
  if (choices.length > 0 && fitting.length === 0)
    throw invalid(`none of the choices is within the limits of the text (${limitsText(limits)}); allow more, or give a shorter choice`);
  return fitting;
}
