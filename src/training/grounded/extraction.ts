// Owns samples of taking facts out of text: relations to look for, a text that tells some of them and other things, and the facts in rows.
// Refuses to know tokens and models, and how replies are judged.

import { plain, relationText, renderRelations } from '../../answers/words/evidence.ts';
import type { EvidenceLine, Language } from '../../answers/words/evidence.ts';
import { clause } from '../../answers/words/wording.ts';
import { fitsRow, readable, writeRows } from '../../extraction/rows.ts';
import type { Row } from '../../extraction/rows.ts';
import type { Random } from '../random.ts';
import { drawLanguage, drawName, drawRelation } from './draws.ts';
import type { SampleOptions } from './draws.ts';
import { leadStatement } from './lead-ins.ts';

export interface ExtractionSample {
  readonly language: Language;
  readonly text: string;
  /** Every relation that may be looked for, among them those of `triples`. */
  readonly relations: readonly string[];
  readonly triples: readonly Row[];
  readonly system: string;
  readonly user: string;
  readonly assistant: string;
}

const PHRASINGS = {
  en: {
    known: [
      '{c}.', '{c}.', '{c}.', 'It is known that {c}.', '{c}, as the record says.', 'The record shows that {c}.', 'As everyone knows, {c}.', 'Reports say that {c}.', '{c}, it is said.', 'One reads that {c}.', 'At that time {c}.', 'Later {c}.', 'Also, {c}.',
      'According to the archive, {c}.', '{c}, and that is certain.', 'Few people know that {c}.', 'It turned out that {c}.', 'History tells us that {c}.', 'The book states that {c}.', 'Indeed {c}.', 'By all accounts {c}.', 'We learn that {c}.', '{c}, which nobody doubts.',
    ],
    heldOut: ['Sources agree that {c}.', 'In short: {c}.'],
  },
  zh: {
    known: ['{c}。', '{c}。', '据记载，{c}。', '众所周知，{c}。', '书中写道，{c}。', '据说{c}。', '后来，{c}。', '人们都知道{c}。', '报道称，{c}。', '此外，{c}。', '事实上，{c}。', '{c}，这是确定的。', '很少有人知道{c}。', '从档案来看，{c}。', '同时，{c}。', '历史告诉我们，{c}。'],
    heldOut: ['资料显示，{c}。', '简而言之：{c}。'],
  },
} as const;
/** Sentences that tell nothing of what is looked for. */
const BESIDE = {
  en: ['It rained that day.', 'Much has been written about this.', 'Opinions differ.', 'The rest is not recorded.', 'That was a long time ago.', 'Nobody expected it.', 'More will be said below.', 'This surprised many.'],
  zh: ['那天下着雨。', '对此众说纷纭。', '其余没有记载。', '那是很久以前的事。', '这让许多人感到意外。', '下面再谈。'],
} as const;

/** One text of one to three sentences that tell facts, each of one subject, one relation and one to three objects; `richly`: also sentences beside, and relations that nothing is told of. */
export function makeExtraction(random: Random, options: SampleOptions = {}, richly = true): ExtractionSample {
  const language = drawLanguage(random, options);
  const phrasings = PHRASINGS[language][options.heldOutQuestions ? 'heldOut' : 'known'];
  const triples: Row[] = [];
  const sentences: string[] = [];
  let before: string | undefined;
  for (let facts = random.int(richly && random.chance(0.08) ? 0 : 1, 3); facts > 0; facts--) {
    const subject = plain(before !== undefined && random.chance(0.4) ? before : drawName(random, language, options));
    const relation = plain(drawRelation(random, language, options));
    const objects = Array.from({ length: richly && random.chance(0.2) ? random.int(2, 3) : 1 }, () => plain(drawName(random, language, options)));
    const line: EvidenceLine = { subjects: [subject], relations: [relation], objects };
    const told = clause(line, language, (name) => name);
    const sentence = options.leadIns && random.chance(0.4) ? leadStatement(random, language, told) : random.pick(phrasings).replace('{c}', () => told);
    // A name keeps its small letter, as in "iPhone".
    sentences.push(sentence.startsWith(subject) || random.chance(0.3) ? sentence : sentence.charAt(0).toUpperCase() + sentence.slice(1));
    for (const object of new Set(objects)) triples.push([subject, relation, object]);
    before = subject;
  }
  if (richly) while (random.chance(0.2)) sentences.splice(random.int(0, sentences.length), 0, random.pick(BESIDE[language]));
  const others = richly ? Array.from({ length: random.int(0, 6) }, () => plain(drawRelation(random, language, options))) : [];
  const relations = random.shuffle([...new Set([...triples.map(([, relation]) => relation), ...others])]);
  // Two labels that read alike are one relation told in two ways: nobody could say which is meant.
  const read = relations.map((relation) => relationText(relation).toLowerCase());
  if (new Set(read).size < read.length) return makeExtraction(random, options, richly);
  if (!triples.flat().every(fitsRow)) return makeExtraction(random, options, richly);
  const text = sentences.join(language === 'en' ? ' ' : '');
  return { language, text, relations, triples, ...renderRelations('extract', readable(text, language), relations, language), assistant: writeRows(triples, language) };
}
