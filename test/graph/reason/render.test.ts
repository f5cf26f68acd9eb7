// Owns how one example proof looks in JSON, Markdown and Mermaid, in English and Chinese, and that no name can break out of its place.
// Refuses to know how proofs are found.

import t from 'tap';
import { DRAWN_NODES, proofJson, proofMarkdown, proofMermaid } from '../../../graph/reason/proofs/render.ts';
import { parseRules } from '../../../graph/reason/language/parse.ts';
import { propertyRules } from '../../../graph/reason/rulesets/properties.ts';
import { chineseRuleName } from '../../../graph/reason/language/rule-names.ts';
import { entity, literal, parseEntityId, parseFactId, parseRelationName } from '../../../graph/terms.ts';
import type { Fact, Triple } from '../../../graph/terms.ts';
import type { Proof } from '../../../graph/reason/types.ts';

const [rule] = parseRules(
  '@name("elders") @confidence(0.9) @say("{x} has been alive since {n}") "is elder"(?x, yes) :- "born in"(?x, ?n), ?n < 1950, not dead(?x).',
);
const x = parseEntityId('Ann "A" *Lee*');
const bornIn: Triple = { subject: x, relation: parseRelationName('born in'), object: literal(1940) };
const fact: Fact = {
  ...bornIn,
  id: parseFactId('f1'),
  confidence: 0.5,
  recordedAt: '2024-01-01T00:00:00.000Z',
  source: { document: 'register.pdf', page: 3, start: 10, end: 42 },
  validFrom: '1940-01-01',
};
const proof: Proof = {
  kind: 'rule',
  conclusion: { subject: x, relation: parseRelationName('is elder'), object: entity(parseEntityId('yes')) },
  confidence: 0.45,
  rule,
  bindings: { x: entity(x), n: literal(1940) },
  premises: [
    { kind: 'fact', conclusion: bornIn, confidence: 0.5, fact },
    { kind: 'compare', conclusion: { kind: 'compare', operator: '<', left: literal(1940), right: literal(1950) }, confidence: 1 },
    {
      kind: 'absent',
      conclusion: { relation: parseRelationName('is a'), subject: entity(x), object: entity(parseEntityId('dead')), absent: true },
      confidence: 1,
    },
  ],
};

t.test('a proof as JSON has everything down to page and span', async (t) => {
  t.strictSame(JSON.parse(JSON.stringify(proofJson(proof))), {
    kind: 'rule',
    conclusion: { subject: x, relation: 'is elder', object: 'yes' },
    confidence: 0.45,
    rule: { id: rule.id, name: 'elders', text: rule.text, confidence: 0.9 },
    explanation: 'Ann "A" *Lee* has been alive since 1940',
    bindings: { x, n: { value: 1940, type: 'number' } },
    premises: [
      {
        kind: 'fact',
        conclusion: { subject: x, relation: 'born in', object: { value: 1940, type: 'number' } },
        confidence: 0.5,
        fact: {
          id: 'f1',
          source: { document: 'register.pdf', page: 3, start: 10, end: 42 },
          valid_from: '1940-01-01',
          recorded_at: '2024-01-01T00:00:00.000Z',
        },
        premises: [],
      },
      {
        kind: 'compare',
        conclusion: { compare: '<', left: { value: 1940, type: 'number' }, right: { value: 1950, type: 'number' } },
        confidence: 1,
        premises: [],
      },
      { kind: 'absent', conclusion: { subject: x, relation: 'is a', object: 'dead', absent: true }, confidence: 1, premises: [] },
    ],
  });
});

t.test('a proof as Markdown is a nested list whose names are only text', async (t) => {
  const code = `\`${rule.text}\``;
  t.equal(
    proofMarkdown(proof),
    [
      `- **Ann "A" \\*Lee\\* has been alive since 1940** (rule: elders ${code}, confidence 0.45)`,
      '  - Ann "A" \\*Lee\\* — born in → 1940 (stored fact `f1`, source: register.pdf, page 3, characters 10-42, valid from 1940-01-01, confidence 0.5)',
      '  - 1940 \\< 1950 (comparison)',
      '  - Ann "A" \\*Lee\\* — is a → dead (cannot be derived)',
      '',
    ].join('\n'),
  );
  t.equal(
    proofMarkdown(proof, 'zh'),
    [
      `- **Ann "A" \\*Lee\\* has been alive since 1940**（规则：elders ${code}，置信度 0.45）`,
      '  - Ann "A" \\*Lee\\* — born in → 1940（已存储的事实 `f1`，来源：register.pdf，第 3 页，字符 10-42，有效期自 1940-01-01 起，置信度 0.5）',
      '  - 1940 \\< 1950（比较）',
      '  - Ann "A" \\*Lee\\* — is a → dead（无法推出）',
      '',
    ].join('\n'),
  );
  const given: Proof = { kind: 'given', conclusion: { ...bornIn, negated: true }, confidence: 1 };
  t.equal(proofMarkdown(given), '- **it is false that Ann "A" \\*Lee\\* — born in → 1940** (assumed)\n');
  t.equal(proofMarkdown(given, 'zh'), '- **以下为假：Ann "A" \\*Lee\\* — born in → 1940**（假设）\n');
});

t.test('a proof as Mermaid is a flow chart that no name can break', async (t) => {
  for (const language of ['en', 'zh'] as const) {
    const lines = proofMermaid(proof, language).split('\n');
    t.equal(lines[0], 'flowchart BT');
    t.same(
      lines.filter((line) => line.includes('-->')).map((line) => line.trim()),
      ['n1 --> n0', 'n2 --> n0', 'n3 --> n0'],
    );
    for (const line of lines.slice(1, -1)) t.match(line, /^ {2}(n\d+ --> n\d+|n\d+\["[^"]*"\]|n\d+\(\["[^"]*"\]\))$/);
    t.ok(lines[1].includes('Ann #34;A#34; *Lee* has been alive since 1940<br/>'));
    t.ok(proofMermaid(proof, language).includes(language === 'en' ? 'source: register.pdf, page 3' : '来源：register.pdf，第 3 页'));
  }
});

t.test('a part that two steps share is drawn once, and what is too large to draw is counted', async (t) => {
  const [both] = parseRules('r(?x, ?y) :- r(?x, ?y), r(?x, ?y).');
  const leaf: Proof = { kind: 'given', conclusion: bornIn, confidence: 1 };
  const join = (premises: readonly Proof[]): Proof => ({ kind: 'rule', conclusion: bornIn, confidence: 1, rule: both, bindings: {}, premises });
  t.equal(
    proofMermaid(join([leaf, leaf]))
      .split('\n')
      .filter((line) => /^ {2}n\d+[[(]/.test(line)).length,
    2,
  );
  t.equal(
    proofMarkdown(join([leaf, leaf]))
      .trim()
      .split('\n').length,
    3,
  );
  const wide = join(Array.from({ length: DRAWN_NODES + 9 }, () => ({ ...leaf })));
  t.match(proofMarkdown(wide), /\n- 10 more steps not shown\n$/);
  t.match(proofMarkdown(wide, 'zh'), /\n- 10 个步骤未显示\n$/);
  t.match(proofMermaid(wide), /more\["10 more steps not shown"\]/);
});

t.test('validity stands beside every fact and assumption; in Chinese, relations and declared rules have their Chinese names', async (t) => {
  const given: Proof = { kind: 'given', conclusion: bornIn, confidence: 1, validFrom: '2020', validTo: '2030' };
  t.match(proofMarkdown(given), /\(assumed, valid from 2020 until 2030\)/);
  t.match(proofMarkdown({ ...given, validFrom: undefined }, 'zh'), /（假设，有效期至 2030 止）/);
  t.match(proofMermaid(proof), /source: register\.pdf, page 3, characters 10-42, valid from 1940-01-01/);
  t.match(proofJson(given), { kind: 'given', valid_from: '2020', valid_to: '2030' });
  const called = (relation: string): string => (relation === 'born in' ? '出生于' : relation);
  t.match(proofMarkdown(proof, 'zh', called), /Ann "A" \\\*Lee\\\* — 出生于 → 1940/);
  t.match(proofMermaid(proof, 'zh', called), /— 出生于 → 1940/);
  const declared = propertyRules([{ name: parseRelationName('父母'), aliases: [], inverseOf: parseRelationName('孩子'), symmetric: true, transitive: true }]);
  t.same([...new Set(declared.map(({ name }) => chineseRuleName(name ?? '')))], ['“父母”是对称关系', '“父母”是“孩子”的逆关系', '“孩子”是“父母”的逆关系', '“父母”是传递关系']);
  t.equal(chineseRuleName('cax-dw: "Cat" and "Dog" are disjoint'), 'cax-dw: “Cat”与“Dog”互斥');
  t.equal(chineseRuleName('elders'), 'elders');
  const step: Proof = { kind: 'rule', conclusion: bornIn, confidence: 1, rule: declared[0], bindings: {}, premises: [given] };
  t.match(proofMarkdown(step, 'zh'), /规则：“父母”是对称关系/);
});
