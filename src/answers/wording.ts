// Owns plain sentences for facts: grammar from the shape of a relation's label, English and Chinese.
// Refuses to know any particular relation. Used to teach the model, and to list evidence when its words are refused.

import { relationText } from './evidence.ts';
import type { Evidence, EvidenceLine, Language } from './evidence.ts';

const PREPOSITIONS = new Set('in at by of from to on with for as under near about into through against over between after before during'.split(' '));
const PARTICIPLES = new Set(
  'born written known made built held led won sold found taught given taken seen sung drawn worn driven spoken chosen broken shown grown kept left lost met paid put read run set sent bought brought caught fought'.split(' '),
);
const STATES = new Set('located situated based married named called related used known similar close equal adjacent opposed allergic connected linked'.split(' '));
const UNIQUE = new Set('capital author founder director mother father head leader owner inventor discoverer president king queen mayor ceo chief composer editor publisher creator captain spouse wife husband'.split(' '));
const VERBS = new Set(
  'teaches likes loves knows owns contains borders influences eats drinks plays speaks writes directs leads causes treats hates follows visits uses makes produces sells buys supports governs rules cites needs wants sees reads includes employs defeats precedes succeeds'.split(' '),
);
const isParticiple = (word: string): boolean => PARTICIPLES.has(word) || /[^aeiou]ed$|[aeiou]{1,2}ed$|ied$/.test(word);

type Shape =
  | { readonly kind: 'copula'; readonly verb: 'is' | 'was'; readonly rest: string }
  | { readonly kind: 'class' }
  | { readonly kind: 'verb'; readonly text: string }
  | { readonly kind: 'noun'; readonly text: string };

/** What kind of phrase an English relation label is. */
export function labelShape(label: string): Shape {
  const text = relationText(label);
  const words = text.toLowerCase().split(/\s+/);
  const first = words[0];
  const last = words[words.length - 1];
  if (/^(is )?an?$/.test(text.toLowerCase()) || words.join(' ') === 'instance of') return { kind: 'class' };
  if (first === 'is' || first === 'are') return { kind: 'copula', verb: 'is', rest: words.slice(1).join(' ') };
  if (first === 'was' || first === 'were') return { kind: 'copula', verb: 'was', rest: words.slice(1).join(' ') };
  if (first === 'has' && words.length > 1) return { kind: 'noun', text: text.slice(4) };
  if (words.length > 1 && PREPOSITIONS.has(first)) return { kind: 'noun', text: words.slice(1).join(' ') };
  if (words.length > 1 && PREPOSITIONS.has(last)) {
    const before = words[words.length - 2];
    if (STATES.has(before)) return { kind: 'copula', verb: 'is', rest: text };
    if (isParticiple(before) && last !== 'of') return { kind: 'copula', verb: 'was', rest: text };
    if (last === 'of') return { kind: 'copula', verb: 'is', rest: before === 'part' ? text : `${UNIQUE.has(before) ? 'the' : /^[aeiou]/.test(words[0]) ? 'an' : 'a'} ${text}` };
    if (/s$/.test(before) || isParticiple(before)) return { kind: 'verb', text };
    return { kind: 'noun', text };
  }
  if (words.length === 1 && (VERBS.has(first) || isParticiple(first))) return { kind: 'verb', text };
  return { kind: 'noun', text };
}

const isHan = (text: string): boolean => /\p{Script=Han}/u.test(text);
const isPlural = (noun: string): boolean => /[^sui]s$/.test(noun);

/** "A", "A and B", "A, B and C"; Chinese "A、B和C". `show` renders a name. */
export function list(names: readonly string[], language: Language, show: (name: string) => string): string {
  const shown = names.map(show);
  if (shown.length === 1) return shown[0];
  const head = shown.slice(0, -1).join(language === 'zh' ? '、' : ', ');
  return `${head}${language === 'zh' ? '和' : ' and '}${shown[shown.length - 1]}`;
}

/** One fact line as a clause without a full stop. */
export function clause(item: EvidenceLine, language: Language, show: (name: string) => string, negated = false): string {
  const subject = list(item.subjects, language, show);
  const object = list(item.objects, language, show);
  const relations = item.relations.map(relationText);
  if (language === 'zh') {
    const quoted = relations.map((text) => (isHan(text) ? text : `“${text}”`));
    if (relations.length > 1) return `${subject}经由${quoted.join('和')}${negated ? '不能得到' : '得到'}${object}`;
    const [label] = quoted;
    if (label === '是' || label === '“is a”') return `${subject}${negated ? '不是' : '是'}${object}`;
    if (/[于在到为自过了]$/.test(label)) return `${subject}${negated ? '并非' : ''}${label}${object}`;
    return `${subject}的${label}${negated ? '不是' : '是'}${object}`;
  }
  const many = item.subjects.length > 1;
  const not = negated ? ' not' : '';
  if (relations.length > 1) return `by way of ${relations.join(' and then ')}, ${subject} ${negated ? 'does not lead' : many ? 'lead' : 'leads'} to ${object}`;
  const shape = labelShape(relations[0]);
  switch (shape.kind) {
    case 'class':
      return many ? `${subject} are${not} ${object}` : `${subject} is${not} ${/^[aeiou]/i.test(item.objects[0]) ? 'an' : 'a'} ${object}`;
    case 'copula': {
      const verb = shape.verb === 'is' ? (many ? 'are' : 'is') : many ? 'were' : 'was';
      const rest = many ? shape.rest.replace(/^(the|an?) /, '') : shape.rest;
      return `${subject} ${verb}${not} ${rest} ${object}`;
    }
    case 'verb':
      return negated ? `it is not the case that ${subject} ${shape.text} ${object}` : `${subject} ${shape.text} ${object}`;
    case 'noun':
      return `the ${shape.text} of ${subject} ${item.objects.length > 1 || isPlural(shape.text) ? 'are' : 'is'}${not} ${object}`;
    default:
      return shape satisfies never;
  }
}

const sentence = (text: string): string => text.replace(/^[a-z]/, (letter) => letter.toUpperCase());

/** The whole reply that evidence with a verdict stands for. */
export function reply(evidence: Evidence, language: Language, show: (name: string) => string = (name) => name): string {
  const { conclusion } = evidence;
  const zh = language === 'zh';
  const reasons = evidence.lines.map((item) => clause(item, language, show));
  const because = reasons.length === 0 ? '' : zh ? `，因为${reasons.join('，并且')}` : `, because ${reasons.join(' and ')}`;
  switch (evidence.verdict) {
    case 'yes':
      return zh ? `是的，${conclusion ? clause(conclusion, language, show) : ''}${because}。` : `Yes, ${conclusion ? clause(conclusion, language, show) : ''}${because}.`;
    case 'no':
      return zh ? `不，${conclusion ? clause(conclusion, language, show, true) : ''}${because}。` : `No, ${conclusion ? clause(conclusion, language, show, true) : ''}${because}.`;
    case 'count': {
      const items = conclusion ? clause(conclusion, language, show) : '';
      const number = show(String(evidence.count ?? 0));
      return zh ? `共有${number}个：${items}。` : `There ${evidence.count === 1 ? 'is' : 'are'} ${number}: ${items}.`;
    }
    case 'unknown':
      if (!conclusion) return zh ? '我不知道，图谱里没有相关内容。' : 'I do not know; the graph holds nothing about that.';
      if (conclusion.objects.length === 0) return zh ? `关于${list(conclusion.subjects, language, show)}，图谱没有给出答案。` : `The graph does not say that about ${list(conclusion.subjects, language, show)}.`;
      return zh ? `不知道${clause(conclusion, language, show)}是否属实。` : `It is not known whether ${clause(conclusion, language, show)}.`;
    case 'answer':
    case undefined:
      return conclusion ? (zh ? `${clause(conclusion, language, show)}${because}。` : sentence(`${clause(conclusion, language, show)}${because}.`)) : '';
    default:
      return evidence.verdict satisfies never;
  }
}
