// Owns how the reasons why something does not follow look: wire JSON and Markdown, in English and Chinese.
// Refuses to know how reasons are found.

import { termText } from '../../terms.ts';
import type { Term } from '../../terms.ts';
import type { StoredInVain, WhyNotCondition, WhyNotReasons, WhyNotResult } from './whynot.ts';
import { printBodyItem, printTerm } from '../../reason/language/print.ts';
import type { ProofLanguage, TermWire } from '../../reason/proofs/render.ts';
import { codeSpan, markdown } from '../../reason/proofs/render.ts';
import type { Outcome } from '../../reason/types.ts';

export interface ConditionWire {
  readonly kind: WhyNotCondition['kind'];
  /** In the rule language, with the values it has. */
  readonly condition: string;
  readonly confidence?: number;
  readonly proof_id?: string;
  readonly left?: TermWire;
  readonly right?: TermWire;
  readonly stored?: StoredInVain;
  readonly why?: ReasonsWire;
}
export interface ReasonsWire {
  readonly goal: string;
  readonly stored?: StoredInVain;
  readonly attempts: readonly {
    readonly rule: { readonly id: string; readonly name?: string; readonly text: string };
    readonly bindings: Readonly<Record<string, TermWire>>;
    readonly lacking: number;
    readonly conditions: readonly ConditionWire[];
  }[];
  readonly truncated: boolean;
}
export interface WhyNotWire {
  readonly outcome: Outcome;
  readonly proof_id?: string;
  readonly reasons?: ReasonsWire;
  readonly complete: boolean;
  readonly limit?: 'answers' | 'facts' | 'ms' | 'depth';
}

const termWire = (term: Term): TermWire => (term.kind === 'entity' ? term.id : { value: term.value, type: term.type });
function conditionWire(condition: WhyNotCondition): ConditionWire {
  const { kind } = condition;
  return {
    kind,
    condition: printBodyItem(condition.item),
    ...('confidence' in condition && condition.confidence !== undefined ? { confidence: condition.confidence } : {}),
    ...('proofId' in condition && condition.proofId !== undefined ? { proof_id: condition.proofId } : {}),
    ...(condition.kind === 'fails' && condition.left ? { left: termWire(condition.left) } : {}),
    ...(condition.kind === 'fails' && condition.right ? { right: termWire(condition.right) } : {}),
    ...(condition.kind === 'missing' && condition.stored ? { stored: condition.stored } : {}),
    ...(condition.kind === 'missing' && condition.why ? { why: reasonsWire(condition.why) } : {}),
  };
}
const reasonsWire = ({ goal, stored, attempts, truncated }: WhyNotReasons): ReasonsWire => ({
  goal: printBodyItem(goal),
  ...(stored ? { stored } : {}),
  attempts: attempts.map(({ rule, bindings, lacking, conditions }) => ({
    rule: { id: rule.id, ...(rule.name === undefined ? {} : { name: rule.name }), text: rule.text },
    bindings: Object.fromEntries(Object.entries(bindings).map(([name, term]) => [name, termWire(term)])),
    lacking,
    conditions: conditions.map(conditionWire),
  })),
  truncated,
});
/** The reasons as they are sent. */
export const whyNotJson = ({ outcome, proofId, reasons, complete, limit }: WhyNotResult): WhyNotWire => ({
  outcome,
  ...(proofId === undefined ? {} : { proof_id: proofId }),
  ...(reasons ? { reasons: reasonsWire(reasons) } : {}),
  complete,
  ...(limit === undefined ? {} : { limit }),
});

const WORDS = {
  en: {
    follows: 'It follows.',
    proof: 'proof',
    none: 'does not follow',
    refuted: 'is known to be false',
    noRule: 'It is not stored, and no rule concludes it.',
    notConcluded: 'No rule concludes it.',
    not_in_force: 'stored, but not in force',
    overruled: 'stored, but overruled by the conflict policy',
    rule: 'rule',
    lacking: (count: number, all: number) => `${all - count} of ${all} conditions hold`,
    holds: 'holds',
    missing: 'missing',
    blocked: 'stands against it',
    fails: 'comes out otherwise',
    open: 'cannot be decided without what is missing',
    values: 'values',
    more: 'There are more ways, or nearer ones that were not looked for.',
    partial: (limit: string) => `The limit "${limit}" was reached: what is missing may follow after all.`,
    colon: ': ',
    comma: ', ',
  },
  zh: {
    follows: '可以推出。',
    proof: '证明',
    none: '无法推出',
    refuted: '已知为假',
    noRule: '既未存储，也没有规则能得出它。',
    notConcluded: '没有规则能得出它。',
    not_in_force: '已存储，但不在有效期内',
    overruled: '已存储，但被冲突策略否决',
    rule: '规则',
    lacking: (count: number, all: number) => `${all} 个条件中有 ${all - count} 个成立`,
    holds: '成立',
    missing: '缺少',
    blocked: '与之相悖的事实成立',
    fails: '不成立',
    open: '缺少前提，无法判定',
    values: '值',
    more: '还有其他途径，或有更接近但未查找的途径。',
    partial: (limit: string) => `已达到限制“${limit}”：缺少的内容或许可以推出。`,
    colon: '：',
    comma: '，',
  },
} as const;

/** A nested list: each rule that could conclude the goal, nearest first, its conditions below it. */
export function whyNotMarkdown({ outcome, proofId, reasons, limit }: WhyNotResult, language: ProofLanguage = 'en'): string {
  const words = WORDS[language];
  const proof = proofId === undefined ? '' : `${words.comma}${words.proof} ${codeSpan(proofId)}`;
  if (!reasons) return `${words.follows}${proofId === undefined ? '' : ` ${words.proof}${words.colon}${codeSpan(proofId)}`}\n`;
  const lines = [`**${codeSpan(printBodyItem(reasons.goal))} ${outcome === 'refuted' ? words.refuted : words.none}**${outcome === 'refuted' ? proof : ''}${reasons.stored ? `${words.comma}${words[reasons.stored]}` : ''}`, ''];
  const visit = ({ attempts, truncated }: WhyNotReasons, depth: number): void => {
    const indent = '  '.repeat(depth);
    for (const { rule, lacking, conditions } of attempts) {
      const name = rule.name === undefined ? '' : `${markdown(rule.name)} `;
      lines.push(`${indent}- ${words.rule}${words.colon}${name}${codeSpan(rule.text)}${words.comma}${words.lacking(lacking, conditions.length)}`);
      for (const condition of conditions) {
        const text = codeSpan(printBodyItem(condition.item));
        const kept = 'proofId' in condition && condition.proofId !== undefined ? `${words.comma}${words.proof} ${codeSpan(condition.proofId)}` : '';
        const sides = condition.kind === 'fails' ? [condition.left, condition.right].filter((side) => side !== undefined) : [];
        const values = sides.length === 0 ? '' : `${words.comma}${words.values}${words.colon}${sides.map((side) => markdown(side.kind === 'entity' ? termText(side) : printTerm(side))).join(words.comma)}`;
        const vain = condition.kind === 'missing' && condition.stored ? `${words.comma}${words[condition.stored]}` : '';
        lines.push(`${indent}  - ${words[condition.kind]}${words.colon}${text}${kept}${values}${vain}`);
        if (condition.kind === 'missing' && condition.why) visit(condition.why, depth + 2);
      }
    }
    if (truncated) lines.push(`${indent}- ${words.more}`);
  };
  if (reasons.attempts.length === 0) lines.push(reasons.stored ? words.notConcluded : words.noRule);
  else visit(reasons, 0);
  if (limit !== undefined) lines.push('', words.partial(limit));
  return lines.join('\n') + '\n';
}
