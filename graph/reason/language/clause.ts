// Owns reading one clause: annotations, heads, body, and what holds of the whole of it.
// Refuses to know what stands before and behind it in the text.

import { itemVariables, isAtom, outerVariables, substituteItem } from './body.ts';
import { Conditions, ConditionReader } from './conditions.ts';
import type { Place } from '../errors.ts';
import { ANNOTATION, CLOSE, COMMA, DOT, IF, NUMBER, OPEN, QUOTED } from './lexer.ts';
import { makeRule } from './print.ts';
import { checkRule, LIMITS } from './safety.ts';
import { Shapes } from './shape.ts';
import type { Atom, BodyItem, Rule, RuleTerm } from '../types.ts';

interface Annotations {
  readonly name?: string;
  readonly confidence?: number;
  readonly say?: string;
  /** Token of the sentence. */
  readonly sayAt?: number;
}
const NONE: Annotations = {};

export class ClauseReader extends ConditionReader {
  readonly #heads = new Conditions<Atom>();
  readonly #body = new Conditions();
  readonly #shapes = new Shapes(this.tokens, (token) => this.plainEntity(token));

  /** A rule, a constraint or a given fact, up to its ".". */
  clause(): Rule {
    const like = this.#shapes.read(this.at);
    if (!like) return this.#clause();
    this.skip(like.length);
    return like.rule;
  }
  #clause(): Rule {
    this.begin();
    const { name, confidence, say, sayAt } = this.is(ANNOTATION) ? this.#annotations() : NONE;
    this.#heads.clear();
    this.#body.clear();
    if (!this.is(IF)) {
      do this.head(this.#heads);
      while (this.accept(COMMA));
    }
    if (this.accept(IF)) {
      do this.condition(this.#body);
      while (this.accept(COMMA));
      this.expect(DOT, '","');
    } else this.expect(DOT, '":-"', '","');

    const heads = this.#heads.items();
    const body = this.#body.items();
    if (this.checks.length > 0) this.#apart(heads, body);
    if (this.hasImplicit) this.#withoutGroups(heads, body);
    const parts = { name, confidence, say, heads, body };
    checkRule(parts, (part, index, position): Place => {
      if (part === 'say') return this.place(sayAt ?? this.first);
      return this.place((part === 'heads' ? this.#heads : this.#body).at(index, position) ?? this.first);
    });
    const rule = makeRule(parts);
    this.#shapes.note({ first: this.first, end: this.at, rule, at: (part, index, position) => (part === 'heads' ? this.#heads : this.#body).at(index, position) });
    return rule;
  }

  /** One atom, up to the end of the text. */
  goal(): Atom {
    this.begin();
    this.head(this.#heads);
    this.accept(DOT);
    if (!this.atEnd()) throw this.expected('the end of the goal, which is one atom (rules join several)');
    return this.#heads.items()[0];
  }

  /** A variable of an `exists` that the rest of the rule does not know is its own, even if other braces use its name. */
  #apart(heads: readonly Atom[], items: BodyItem[]): void {
    const checkOf = (item: BodyItem): ReadonlySet<object> | undefined => this.checks.find((check) => check.has(item));
    const outer = outerVariables({ heads, body: items.filter((item) => !checkOf(item)) });
    for (const check of this.checks) {
      const others = new Set(items.flatMap((item) => (check.has(item) ? [] : [...itemVariables(item)])));
      const names: Record<string, RuleTerm> = {};
      for (const item of check as ReadonlySet<BodyItem>)
        for (const name of isAtom(item) || item.kind === 'compare' ? itemVariables(item) : [])
          if (!outer.has(name) && others.has(name)) names[name] ??= this.anonymous();
      items.forEach((item, i) => {
        if (!check.has(item)) return;
        items[i] = substituteItem(item, names);
        if (this.isImplicit(item)) this.addImplicit(items[i]);
      });
    }
  }
  /** Where it was not said what to count, the group need not be counted: it is one value each time. */
  #withoutGroups(heads: readonly Atom[], items: BodyItem[]): void {
    const outer = outerVariables({ heads, body: items });
    items.forEach((item, i) => {
      if (isAtom(item) || item.kind !== 'aggregate' || !this.isImplicit(item)) return;
      const of = item.of.filter((term) => term.kind !== 'variable' || !outer.has(term.name));
      if (of.length > 0) items[i] = { ...item, of };
    });
  }

  #annotations(): Annotations {
    const found: { name?: string; confidence?: number; say?: string; sayAt?: number } = {};
    while (this.is(ANNOTATION)) {
      const at = this.next();
      const word = this.tokens.content(at);
      const fail = (reason: string, expected: readonly string[]): never => {
        throw this.wrong('invalid_annotation', reason, at, expected);
      };
      if (word !== 'name' && word !== 'say' && word !== 'confidence')
        return fail(`@${word} is not known; a rule may carry @name("..."), @confidence(0.9) and @say("...")`, ['@name', '@confidence', '@say']);
      if (found[word] !== undefined) fail(`@${word} stands twice in front of one rule; keep one`, []);
      this.expect(OPEN);
      const value = this.at;
      if (word === 'confidence') {
        if (!this.is(NUMBER)) throw this.expected('a number above 0 and at most 1');
        this.next();
        this.expect(CLOSE);
        const text = this.tokens.content(value);
        const confidence = Number(text);
        if (!(confidence > 0 && confidence <= 1))
          fail(`@confidence(${text}) is out of range; it must be above 0 and at most 1`, ['a number above 0 and at most 1']);
        found.confidence = confidence;
        continue;
      }
      if (!this.is(QUOTED)) throw this.expected('a text in quotes');
      this.next();
      this.expect(CLOSE);
      const text = this.tokens.content(value);
      const limit = word === 'name' ? LIMITS.nameCharacters : LIMITS.sayCharacters;
      if (text.trim() === '' || text.length > limit || !text.isWellFormed()) fail(`@${word} needs a text of 1 to ${limit} characters`, ['a text in quotes']);
      found[word] = text;
      if (word === 'say') found.sayAt = value;
    }
    return found;
  }
}
