// Owns how a proof looks: wire JSON, Markdown and Mermaid, in English and Chinese.
// Refuses to know how proofs are found, kept or checked.

import { termText } from '../../terms.ts';
import type { Source, Term, Triple } from '../../terms.ts';
import { printBodyItem, printExpression } from '../language/print.ts';
import { chineseRuleName } from '../language/rule-names.ts';
import type { Expression, Proof, RuleTerm } from '../types.ts';
import { evaluate } from '../language/values.ts';

export type ProofLanguage = 'en' | 'zh';
/** How a relation is called in the language; absent: by its name. */
export type RelationNames = (relation: string) => string;
const byName: RelationNames = (relation) => relation;
/** Nodes drawn at most; what is beyond is counted, not drawn. */
export const DRAWN_NODES = 2_000;

export type TermWire = string | { readonly value: string | number | boolean; readonly type: string };
/** One side of a comparison: a term, or what was computed with its value. */
export type SideWire = TermWire | { readonly expression: string; readonly value?: TermWire };
export interface TripleWire {
  readonly subject: string;
  readonly relation: string;
  readonly object: TermWire;
  readonly negated?: true;
  /** What cannot be derived (`not`). */
  readonly absent?: true;
}
export interface ProofWire {
  readonly kind: Proof['kind'];
  readonly conclusion:
    | TripleWire
    | { readonly compare: string; readonly left: SideWire; readonly right: SideWire }
    /** `text` shows the conditions with the group's values. */
    | { readonly aggregate: string; readonly result: TermWire; readonly members: number; readonly text: string };
  readonly confidence: number;
  readonly rule?: { readonly id: string; readonly name?: string; readonly text: string; readonly confidence: number };
  /** The rule's sentence with its places filled. */
  readonly explanation?: string;
  readonly bindings?: Readonly<Record<string, TermWire>>;
  readonly fact?: { readonly id: string; readonly source?: Source; readonly valid_from?: string; readonly valid_to?: string; readonly recorded_at: string };
  /** Of an assumption. */
  readonly valid_from?: string;
  readonly valid_to?: string;
  /** Of an aggregate: one for each condition of each member shown. */
  readonly premises: readonly ProofWire[];
}

const termWire = (term: Term): TermWire => (term.kind === 'entity' ? term.id : { value: term.value, type: term.type });
const ruleTermWire = (term: RuleTerm): TermWire => (term.kind === 'variable' ? `?${term.name}` : termWire(term));
export const tripleWire = (triple: Triple): TripleWire => ({
  subject: triple.subject,
  relation: triple.relation,
  object: termWire(triple.object),
  ...(triple.negated ? { negated: true as const } : {}),
});

function sideWire(side: Expression): SideWire {
  if (side.kind !== 'call' && side.kind !== 'list') return ruleTermWire(side);
  const value = evaluate(side, () => undefined);
  return { expression: printExpression(side), ...(value ? { value: termWire(value) } : {}) };
}
/** What stands below a node: premises, of an aggregate those of the members shown. */
const inside = (proof: Proof): readonly Proof[] =>
  proof.kind === 'rule' ? proof.premises : proof.kind === 'aggregate' ? proof.members.flatMap(({ premises }) => premises) : [];

interface Validity {
  readonly validFrom?: string;
  readonly validTo?: string;
}
const validityWire = ({ validFrom, validTo }: Validity): { readonly valid_from?: string; readonly valid_to?: string } => ({
  ...(validFrom === undefined ? {} : { valid_from: validFrom }),
  ...(validTo === undefined ? {} : { valid_to: validTo }),
});
/** The proof as it is sent. Shared parts are written out each time. */
export function proofJson(proof: Proof): ProofWire {
  const { kind, confidence } = proof;
  switch (proof.kind) {
    case 'fact': {
      const { id, source, recordedAt } = proof.fact;
      const fact = { id, ...(source === undefined ? {} : { source }), ...validityWire(proof.fact), recorded_at: recordedAt };
      return { kind, conclusion: tripleWire(proof.conclusion), confidence, fact, premises: [] };
    }
    case 'given':
      return { kind, conclusion: tripleWire(proof.conclusion), confidence, ...validityWire(proof), premises: [] };
    case 'absent': {
      const { relation, subject, object, negated } = proof.conclusion;
      const conclusion: TripleWire = {
        subject: termOf(subject),
        relation,
        object: ruleTermWire(object),
        ...(negated ? { negated: true as const } : {}),
        absent: true,
      };
      return { kind, conclusion, confidence, premises: [] };
    }
    case 'compare': {
      const { operator, left, right } = proof.conclusion;
      return { kind, conclusion: { compare: operator, left: sideWire(left), right: sideWire(right) }, confidence, premises: [] };
    }
    case 'aggregate': {
      const { function: name, result } = proof.conclusion;
      const conclusion = { aggregate: name, result: ruleTermWire(result), members: proof.total, text: printBodyItem(proof.conclusion) };
      return { kind, conclusion, confidence, premises: inside(proof).map(proofJson) };
    }
    case 'rule': {
      const { rule } = proof;
      const explanation = sentence(proof);
      return {
        kind,
        conclusion: tripleWire(proof.conclusion),
        confidence,
        rule: { id: rule.id, ...(rule.name === undefined ? {} : { name: rule.name }), text: rule.text, confidence: rule.confidence ?? 1 },
        ...(explanation === undefined ? {} : { explanation }),
        bindings: Object.fromEntries(Object.entries(proof.bindings).map(([name, term]) => [name, termWire(term)])),
        premises: proof.premises.map(proofJson),
      };
    }
    default:
      throw new TypeError(proof satisfies never);
  }
}

/** The rule's `say` with its places filled, if it has one. */
export function sentence(proof: Proof): string | undefined {
  if (proof.kind !== 'rule' || proof.rule.say === undefined) return undefined;
  return proof.rule.say.replace(/\{([^{}]*)\}/gu, (place, name: string) => (Object.hasOwn(proof.bindings, name) ? termText(proof.bindings[name]) : place));
}

const WORDS = {
  en: {
    fact: 'stored fact',
    source: 'source',
    page: 'page',
    characters: 'characters',
    given: 'assumed',
    absent: 'cannot be derived',
    compare: 'comparison',
    aggregate: (total: number, shown: number) => `over ${total} ${total === 1 ? 'case' : 'cases'}${shown < total ? `, ${shown} shown` : ''}`,
    rule: 'rule',
    confidence: 'confidence',
    false: 'it is false that ',
    valid: (from?: string, to?: string) => `valid${from === undefined ? '' : ` from ${from}`}${to === undefined ? '' : ` until ${to}`}`,
    more: 'more steps not shown',
    colon: ': ',
    open: ' (',
    close: ')',
    comma: ', ',
  },
  zh: {
    fact: '已存储的事实',
    source: '来源',
    page: '第',
    characters: '字符',
    given: '假设',
    absent: '无法推出',
    compare: '比较',
    aggregate: (total: number, shown: number) => `共 ${total} 项${shown < total ? `，显示 ${shown} 项` : ''}`,
    rule: '规则',
    confidence: '置信度',
    false: '以下为假：',
    valid: (from?: string, to?: string) => `有效期${from === undefined ? '' : `自 ${from} 起`}${to === undefined ? '' : `至 ${to} 止`}`,
    more: '个步骤未显示',
    colon: '：',
    open: '（',
    close: '）',
    comma: '，',
  },
} as const;

function sourceText(source: Source, language: ProofLanguage): string {
  if (typeof source === 'string') return source;
  const words = WORDS[language];
  const page =
    source.page === undefined ? '' : language === 'zh' ? `${words.comma}${words.page} ${source.page} 页` : `${words.comma}${words.page} ${source.page}`;
  const span = source.start === undefined || source.end === undefined ? '' : `${words.comma}${words.characters} ${source.start}-${source.end}`;
  return source.document + page + span;
}

/** What a node says, in one line. */
function statement(proof: Proof, language: ProofLanguage, called: RelationNames): string {
  const words = WORDS[language];
  switch (proof.kind) {
    case 'compare':
    case 'aggregate':
      return printBodyItem(proof.conclusion);
    case 'absent': {
      const { subject, relation, object, negated } = proof.conclusion;
      return `${negated ? words.false : ''}${termOf(subject)} — ${called(relation)} → ${termOf(object)}`;
    }
    case 'fact':
    case 'given':
    case 'rule': {
      const { subject, relation, object, negated } = proof.conclusion;
      return sentence(proof) ?? `${negated ? words.false : ''}${subject} — ${called(relation)} → ${termText(object)}`;
    }
    default:
      throw new TypeError(proof satisfies never);
  }
}
const termOf = (term: RuleTerm): string => (term.kind === 'variable' ? `?${term.name}` : termText(term));
const percent = (confidence: number): string => String(Math.round(confidence * 10_000) / 10_000);

/** When a fact is in force, if that is told. */
function timeText({ validFrom, validTo }: Validity, language: ProofLanguage): string {
  const words = WORDS[language];
  return validFrom === undefined && validTo === undefined ? '' : words.comma + words.valid(validFrom, validTo);
}
/** Why a node holds: the rule, the fact and its source, or the kind of leaf. `code` marks rule text and ids. */
function reason(proof: Proof, language: ProofLanguage, called: RelationNames, plain: (text: string) => string, code: (text: string) => string): string {
  const words = WORDS[language];
  const sure = proof.confidence === 1 ? '' : `${words.comma}${words.confidence} ${percent(proof.confidence)}`;
  switch (proof.kind) {
    case 'fact': {
      const { id, source } = proof.fact;
      return `${words.fact} ${code(id)}${source === undefined ? '' : `${words.comma}${words.source}${words.colon}${plain(sourceText(source, language))}`}${plain(timeText(proof.fact, language))}${sure}`;
    }
    case 'rule': {
      const { name, text } = proof.rule;
      return `${words.rule}${words.colon}${name === undefined ? '' : `${plain(language === 'zh' ? chineseRuleName(name, called) : name)} `}${code(text)}${sure}`;
    }
    case 'given':
      return words.given + plain(timeText(proof, language)) + sure;
    case 'absent':
      return words.absent;
    case 'compare':
      return words.compare;
    case 'aggregate':
      return words.aggregate(proof.total, proof.members.length);
    default:
      throw new TypeError(proof satisfies never);
  }
}

export const markdown = (text: string): string => text.replace(/\s+/g, ' ').replace(/[\\`*_{}[\]<>#|~!&]/g, '\\$&');
export function codeSpan(text: string): string {
  const line = text.replace(/\s+/g, ' ');
  const fence = '`'.repeat(Math.max(0, ...[...line.matchAll(/`+/g)].map(([run]) => run.length)) + 1);
  return fence.length === 1 ? `\`${line}\`` : `${fence} ${line} ${fence}`;
}

/** A nested list: each conclusion with its reason, its premises below it. */
export function proofMarkdown(proof: Proof, language: ProofLanguage = 'en', called = byName): string {
  const words = WORDS[language];
  const lines: string[] = [];
  let hidden = 0;
  const visit = (node: Proof, depth: number): void => {
    if (lines.length >= DRAWN_NODES) {
      hidden++;
      return;
    }
    const text = markdown(statement(node, language, called));
    lines.push(`${'  '.repeat(depth)}- ${depth === 0 ? `**${text}**` : text}${words.open}${reason(node, language, called, markdown, codeSpan)}${words.close}`);
    for (const premise of inside(node)) visit(premise, depth + 1);
  };
  visit(proof, 0);
  if (hidden > 0) lines.push(`- ${hidden} ${words.more}`);
  return lines.join('\n') + '\n';
}

// Mermaid reads `#35;` as the sign with that number; a label so written cannot end its quotes or begin markup.
const mermaid = (text: string): string => text.replace(/\s+/g, ' ').replace(/["#&;<>`\\{}[\]|]/g, (sign) => `#${sign.charCodeAt(0)};`);
/** A flow chart from premises up to the conclusion. A part that several steps share is drawn once. */
export function proofMermaid(proof: Proof, language: ProofLanguage = 'en', called = byName): string {
  const words = WORDS[language];
  const lines = ['flowchart BT'];
  const names = new Map<Proof, string>();
  let hidden = 0;
  const visit = (node: Proof): string | undefined => {
    const known = names.get(node);
    if (known) return known;
    if (names.size >= DRAWN_NODES) {
      hidden++;
      return undefined;
    }
    const name = `n${names.size}`;
    names.set(node, name);
    const label = `${mermaid(statement(node, language, called))}<br/>${mermaid(
      reason(
        node,
        language,
        called,
        (text) => text,
        (text) => text,
      ),
    )}`;
    lines.push(`  ${name}${node.kind === 'rule' ? `["${label}"]` : `(["${label}"])`}`);
    for (const premise of inside(node)) {
      const from = visit(premise);
      if (from) lines.push(`  ${from} --> ${name}`);
    }
    return name;
  };
  visit(proof);
  if (hidden > 0) lines.push(`  more["${hidden} ${words.more}"]`);
  return lines.join('\n') + '\n';
}
