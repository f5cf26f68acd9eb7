// Owns words in front of questions and statements that mean nothing for what is asked or told, put together anew each time, so that a model learns to look past any of them.
// Refuses to know questions, statements and names. What the evaluation keeps apart is never made.

import type { Language } from '../../answers/words/evidence.ts';
import type { Random } from '../random.ts';
import { LEXICONS } from './names.ts';

const words = (text: string): readonly string[] => text.trim().split(/\s*\|\s*/);

const QUESTION = {
  en: {
    polite: words('please|could you|can you|would you|will you|I would like you to|I want you to|help me to|kindly|let us|we have to|now|first|next|try to|you should|I hope you can|be so kind and|go and'),
    verb: words('find|name|list|tell me|show me|give|say|write down|point out|check|identify|report|mention|print|fetch|determine|read out|explain|search for|get|provide|note|describe|answer|work out|figure out|let me have|enumerate|quote|bring up'),
    tail: words('for me|here|quickly|in a word|at once|if you can|once more|in this graph|from the data|from what you have'),
  },
  zh: {
    polite: words('请|劳驾|能不能|可不可以|可以|帮我|帮忙|我要|我想|想|请你|请您|烦请|你来|那就|先|再|现在|试着|我们来|麻烦你|能否|给我'),
    verb: words('查|查查|查询|找|找找|列举|写出|写下|说说|讲讲|讲一讲|提供|看看|看一下|搜一下|搜索|打听|打听一下|确认|问问|弄清|回答|给出|介绍|指出|读出|念一下|检索|翻一翻|说一下|算出|认一下|解释'),
  },
} as const;
/** Of the evaluation. */
const NEVER = new Set(['我想了解', '麻烦查一下']);

/** "would you point out ", "帮我找找". */
export function leadQuestion(random: Random, language: Language): string {
  if (language === 'en') {
    const { polite, verb, tail } = QUESTION.en;
    const lead = `${random.chance(0.7) ? `${random.pick(polite)} ` : ''}${random.pick(verb)} ${random.chance(0.15) ? `${random.pick(tail)} ` : ''}`;
    return random.chance(0.15) ? `${random.pick(LEXICONS.training.words)}, ${lead}` : lead;
  }
  const { polite, verb } = QUESTION.zh;
  const lead = `${random.chance(0.7) ? random.pick(polite) : ''}${random.pick(verb)}`;
  return NEVER.has(lead) ? leadQuestion(random, language) : lead;
}

const FRAME = {
  second: words('name|list|tell me|show me|give|write down|point out|report|mention|read out|provide|describe|work out|bring up|hand me|spell out|note down'),
  whose: words('its|its|its|the|their|her|his|that'),
  about: words('about|regarding|as to|on|touching|around|in the case of|with respect to|when it comes to|with|under'),
  wish: words('I want|we want|I would like|I wish to have|we are after|I miss|you should have|give me|let us have|there must be|I wonder about|what is|we look for|I ask for'),
} as const;
/** A question that has a name and a relation between words that are put together anew each time: "would you fetch {s} and mention its {r}", "the {r} with respect to {s}". English alone: elsewhere, what is asked for is last. */
export function framedQuestion(random: Random): string {
  const { polite, verb } = QUESTION.en;
  const { second, whose, about, wish } = FRAME;
  const lead = `${random.chance(0.6) ? `${random.pick(polite)} ` : ''}${random.pick(verb)}`;
  const roll = random.next();
  if (roll < 0.35) return `${lead} {s} and ${random.pick(second)} ${random.pick(whose)} {r}`;
  if (roll < 0.55) return `${lead} {r} ${random.pick(about)} {s}`;
  if (roll < 0.65) return `${lead} the {r} ${random.pick(about)} {s}`;
  if (roll < 0.9) return `${random.pick(about)} {s}${random.chance(0.5) ? ',' : ''} ${random.pick(wish)} the {r}`;
  return `{s}${random.pick([':', ',', ' -', ' and then'])} ${random.pick(second)} ${random.pick(whose)} {r}`;
}

const STATEMENT = {
  en: {
    whole: words(
      'In fact,|In other words,|To sum up,|Note that|Experts say that|As far as we know,|In addition,|Moreover,|Meanwhile,|At present,|For the record:|In the end,|Strictly speaking,|It has been said that|People believe that|It is written that|Everyone agrees that|One more thing:|Add to this that|By the way,|First of all,|Second,|Put simply,|The truth is that|Many hold that|Remember that|In brief,|To be exact,|Fact:|News:|So it is that|It follows from the files that|Some time ago|Since then|Once more:|The list says:|What matters is that|Of course',
    ),
    from: words('According to|As told by|In the words of|From|By|After|Says'),
    says: words('says that|writes that|claims that|reported that|told us that|knows that|wrote:|adds that|confirms that|has it that'),
    tails: words('as one can read|so we are told|among other things|at least officially|to this day|as before|beyond doubt|if one may believe it|according to many|as the papers had it'),
  },
  zh: {
    whole: words('总之|换句话说|简单地说|也就是说|事实表明|如前所述|有人说|专家指出|媒体报道|学者认为|公开信息表明|百科里写着|网上说|他告诉我们|调查发现|值得一提的是|需要指出的是|另外|其中|当时|如今|目前|最终|起初|具体来说|相关材料表明|顺便说一句|严格地说|大家认为|可以肯定的是|第一|第二|补充一点|注意|新闻|记录|原文如下|档案里说|传说中|近年来|不久之后|显然|当然|实际上|据我所知|重要的是'),
    from: words('据|按|照|依|根据|依照|参照|从|由'),
    says: words('说|称|看|记载|所述|所写|统计|的报道|的资料|的消息|介绍'),
    tails: words('这一点没有疑问|大家都这么说|至今如此|书上是这样写的|这是事实|有据可查|毫无争议|正如前面所说'),
  },
} as const;

/** A statement of the clause, with something in front or behind. */
export function leadStatement(random: Random, language: Language, clause: string): string {
  const { whole, from, says, tails } = STATEMENT[language];
  const some = (least: number, most: number): string =>
    language === 'en' ? Array.from({ length: random.int(least, most) }, () => random.pick(LEXICONS.training.words)).join(' ') : Array.from({ length: random.int(least, most) }, () => random.pick(LEXICONS.training.han)).join('');
  const roll = random.next();
  if (language === 'en') {
    if (roll < 0.5) return `${random.pick(whole)} ${clause}.`;
    if (roll < 0.65) return `${random.pick(from)} ${some(1, 3)}, ${clause}.`;
    if (roll < 0.75) return `${some(1, 2)} ${random.pick(says)} ${clause}.`;
    return roll < 0.85 ? `${some(1, 3)}: ${clause}.` : `${clause}, ${random.pick(tails)}.`;
  }
  const sign = random.pick(['，', '，', '：']);
  if (roll < 0.5) return `${random.pick(whole)}${sign}${clause}。`;
  if (roll < 0.7) return `${random.pick(from)}${some(1, 3)}${random.pick(says)}${sign}${clause}。`;
  return roll < 0.85 ? `${some(2, 4)}${sign}${clause}。` : `${clause}，${random.pick(tails)}。`;
}
