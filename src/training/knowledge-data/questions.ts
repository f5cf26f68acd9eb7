// Owns drawing a question over a knowledge base together with what it is meant to ask.
// Refuses to know what the answer is and how it is worded.

import type { Language } from '../../answers/words/evidence.ts';
import { labelShape } from '../../answers/words/wording.ts';
import { entity, sameTerm } from '../../../graph/terms.ts';
import type { Fact, Path, Term, Triple } from '../../../graph/terms.ts';
import type { RelationSummary } from '../../../graph/store.ts';
import {
  EN_ASK,
  EN_CHECK,
  EN_CLASS,
  EN_COPULA,
  EN_COUNT,
  EN_INVERSE,
  EN_PREFIX,
  EN_VERB,
  ZH_ASK,
  ZH_CHECK,
  ZH_CLASS,
  ZH_COUNT,
  ZH_INVERSE,
} from '../grounded/questions.ts';
import type { Random } from '../random.ts';
import { labelIn, nameIn, subjectOf } from './pool.ts';
import type { Pool } from './pool.ts';

export type Intent =
  /** What the path leads to, or how many. */
  | { readonly kind: 'answer' | 'count'; readonly start: Term; readonly path: Path }
  /** Whether it is so. */
  | { readonly kind: 'check'; readonly target: Triple }
  /** Something that the base does not say of it. */
  | { readonly kind: 'unknown'; readonly start: Term };
export interface Draft {
  readonly language: Language;
  readonly question: string;
  /** The question without what is put before it: two with the same ask the same in the same words. */
  readonly core: string;
  readonly intent: Intent;
  /** What the question names. */
  readonly named: readonly Term[];
}

type Values = Readonly<Partial<Record<'s' | 'r' | 'o', string>>>;
const fill = (template: string, values: Values): string => template.replace(/\{([sro])\}/g, (_, key: 's' | 'r' | 'o') => values[key] ?? '');
/** Without the word that questions put before it themselves. */
const bare = (label: string, language: Language): string => (language === 'en' ? label.replace(/^(has|in|is|was) /, '') : label);
const isClass = (label: string): boolean => label === '是' || labelShape(label).kind === 'class';
/** "student of" is somebody's student when it is walked backwards. */
const roleOf = (label: string): string | undefined => /^(?:is )?(?:an? |the )?(.+) of$/.exec(label)?.[1];

/** Share of the questions for what a path leads to that ask for a form. */
const FORMED = 0.2;
const FORMS: Readonly<Record<Language, readonly string[]>> = { en: [' as a table', ' as a list'], zh: ['，用表格', '，用列表'] };
function dressed(random: Random, text: string, language: Language): string {
  if (language === 'zh') return random.chance(0.7) ? `${text}？` : text;
  const whole = random.pick(EN_PREFIX) + text;
  return (random.chance(0.7) ? whole.charAt(0).toUpperCase() + whole.slice(1) : whole) + (random.chance(0.8) ? '?' : '');
}
function askPool(label: string, language: Language): readonly string[] {
  if (language === 'zh') return ZH_ASK;
  const { kind } = labelShape(label);
  return kind === 'copula'
    ? [...EN_COPULA, ...EN_COPULA, ...EN_ASK]
    : kind === 'verb'
      ? EN_VERB
      : kind === 'class'
        ? ['what is {s}', 'what kind of thing is {s}']
        : EN_ASK;
}

/** Draws questions about the facts of a pool. */
export class Drafter {
  readonly #pool: Pool;
  readonly #random: Random;
  readonly #languages: readonly Language[];
  constructor(pool: Pool, random: Random, languages: readonly Language[]) {
    this.#pool = pool;
    this.#random = random;
    this.#languages = languages;
  }

  /** Undefined when what was drawn cannot be asked in the language that was drawn. */
  draw(): Draft | undefined {
    const random = this.#random;
    const language = random.pick(this.#languages);
    const { relation, facts } = random.pick(this.#pool.relations);
    const fact = random.pick(facts);
    const label = labelIn(random, relation, language);
    if (label === undefined) return undefined;
    const roll = random.next();
    if (roll < 0.3) return this.#ask(language, fact, label, 'answer');
    if (roll < 0.46) return this.#inverse(language, fact, label);
    if (roll < 0.62) return this.#path(language, fact, relation, label);
    if (roll < 0.84) return this.#check(language, fact, label, facts);
    if (roll < 0.93) return this.#unknown(language, label, facts);
    return this.#ask(language, fact, label, 'count');
  }

  #name(term: Term, language: Language): string {
    return nameIn(this.#random, this.#pool, term, language);
  }
  #draft(language: Language, template: string, values: Values, intent: Intent, named: readonly Term[]): Draft {
    const asked = fill(template, values);
    const core = intent.kind === 'answer' && this.#random.chance(FORMED) ? asked + this.#random.pick(FORMS[language]) : asked;
    return { language, question: dressed(this.#random, core, language), core, intent, named };
  }
  #ask(language: Language, fact: Fact, label: string, kind: 'answer' | 'count'): Draft {
    const start = subjectOf(fact);
    const templates = kind === 'count' ? (language === 'zh' ? ZH_COUNT : EN_COUNT) : askPool(label, language);
    const intent: Intent = { kind, start, path: [{ relation: fact.relation, inverse: false }] };
    return this.#draft(language, this.#random.pick(templates), { s: this.#name(start, language), r: bare(label, language) }, intent, [start]);
  }
  #inverse(language: Language, { relation, object }: Fact, label: string): Draft {
    const values = { o: this.#name(object, language), r: bare(label, language) };
    return this.#draft(
      language,
      this.#random.pick(language === 'zh' ? ZH_INVERSE : EN_INVERSE),
      values,
      { kind: 'answer', start: object, path: [{ relation, inverse: true }] },
      [object],
    );
  }
  /** Two steps: first to what the fact leads to, or, for "student of" and its like, from its object back to its subject. */
  #path(language: Language, fact: Fact, relation: RelationSummary, label: string): Draft | undefined {
    const random = this.#random;
    const role = language === 'en' ? roleOf(label) : undefined;
    const noun = language === 'zh' || labelShape(label).kind === 'noun';
    if (role === undefined && !noun) return undefined;
    const inverse = role !== undefined;
    const [start, middle] = inverse ? [fact.object, subjectOf(fact)] : [subjectOf(fact), fact.object];
    const next = this.#pool.relations.filter(({ facts }) => facts.some((each) => sameTerm(subjectOf(each), middle)));
    if (next.length === 0) return undefined;
    const second = random.pick(next).relation;
    const secondLabel = labelIn(random, second, language);
    if (secondLabel === undefined || (language === 'en' && isClass(secondLabel))) return undefined;
    const name = this.#name(start, language);
    const reached = language === 'zh' ? `${name}的${label}` : `the ${role ?? bare(label, language)} of ${name}`;
    const path = [
      { relation: relation.name, inverse },
      { relation: second.name, inverse: false },
    ];
    return this.#draft(language, random.pick(askPool(secondLabel, language)), { s: reached, r: bare(secondLabel, language) }, { kind: 'answer', start, path }, [
      start,
    ]);
  }
  /** As it is, or with another fact's object. */
  #check(language: Language, fact: Fact, label: string, facts: readonly Fact[]): Draft {
    const random = this.#random;
    const subject = subjectOf(fact);
    const object = random.chance(0.5) ? fact.object : random.pick(facts).object;
    const templates = isClass(label) ? (language === 'zh' ? ZH_CLASS : EN_CLASS) : language === 'zh' ? ZH_CHECK : EN_CHECK;
    const values = { s: this.#name(subject, language), o: this.#name(object, language), r: bare(label, language) };
    return this.#draft(language, random.pick(templates), values, { kind: 'check', target: { subject: fact.subject, relation: fact.relation, object } }, [
      subject,
      object,
    ]);
  }
  /** Something of which the relation is not known. */
  #unknown(language: Language, label: string, facts: readonly Fact[]): Draft | undefined {
    const random = this.#random;
    const other = random.pick(random.pick(this.#pool.relations).facts);
    const start = random.chance(0.5) || other.object.kind !== 'entity' ? subjectOf(other) : entity(other.object.id);
    if (facts.some((each) => sameTerm(subjectOf(each), start))) return undefined;
    return this.#draft(
      language,
      random.pick(askPool(label, language)),
      { s: this.#name(start, language), r: bare(label, language) },
      { kind: 'unknown', start },
      [start],
    );
  }
}
