// Owns the little grammar that sentences about relations need: what kind of phrase a label is, English and Chinese; its English plural, and its verb's plural form.
// Refuses to know any particular relation, facts and names.

import { thesaurus } from '../thesaurus/thesaurus.ts';

const split = (text: string): readonly string[] => text.trim().split(/\s+/);
const set = (text: string): ReadonlySet<string> => new Set(split(text));

const PREPOSITIONS = set('in at by of from to on with for as under near about into through against over between after before during until till since');
const ROLE_PREPOSITIONS = set('at to for with from');
/** Behind what something has. */
const HAD = /^(?:in|on|until|till|since)$/;
const PARTICIPLES = set(
  'born written known made built held led won sold found taught given taken seen sung drawn worn driven spoken chosen broken shown grown kept left lost met paid put read run set sent bought brought caught fought heard told thought felt spent lent dealt hung struck stolen ridden forbidden hidden bitten eaten beaten frozen woven sworn torn thrown blown flown understood withdrawn undertaken overseen',
);
/** Participles that say how things stand rather than what was done once. */
const STATES = set('located situated based married named called related used known similar close equal adjacent opposed allergic connected linked');
/** Past forms that say what the subject did, unless `by` follows. */
const ACTIVE = set(
  'died lived worked studied moved served graduated appeared participated competed resided stayed travelled traveled emigrated arrived retired starred ended started began originated happened occurred existed belonged collaborated played performed debuted ruled reigned fought taught wrote acted sang danced spoke ran sailed flew resigned expired collapsed erupted crashed landed emerged migrated vanished disappeared joined left',
);
const UNIQUE = set('capital author founder director mother father head leader owner inventor discoverer president king queen mayor ceo chief composer editor publisher creator captain spouse wife husband');
const VERBS = set(
  'teaches likes loves knows owns contains borders influences eats drinks plays speaks writes directs leads causes treats hates follows visits uses makes produces sells buys supports governs rules cites needs wants sees reads includes employs defeats precedes succeeds wrote takes gives requires prescribes operates manufactures publishes composes performs creates develops builds manages delivers carries prevents inhibits activates regulates encodes joins enters affects assists beats calls clears collects combines conducts constructs converts crosses divides elects equals exhibits expresses fills finds finishes gathers gets goes handles feeds helps hires hosts invites keeps kills launches meets mentions monitors offers opens overlooks pays permits preserves pushes raises reaches regards rejects removes resolves says seeks separates serves sponsors surrounds suspects wears welcomes wins mentors tutors coaches blocks heads guards guides chairs captains trains drives rides took gave saw went became began drew drove flew broke chose grew knew rode stole swam threw wore',
);
const isParticiple = (word: string): boolean => PARTICIPLES.has(word) || /[^aeiou]ed$|[aeiou]{1,2}ed$|ied$/.test(word);

export type Shape =
  | { readonly kind: 'copula'; readonly verb: 'is' | 'was'; readonly rest: string }
  | { readonly kind: 'class' }
  | { readonly kind: 'verb'; readonly text: string }
  | { readonly kind: 'noun'; readonly text: string };

/** What kind of phrase an English relation label is; underscores are read as spaces already. */
export function labelShape(text: string): Shape {
  const words = split(text.toLowerCase());
  const first = words[0];
  const last = words[words.length - 1];
  if (/^(is )?an?$/.test(words.join(' ')) || words.join(' ') === 'instance of') return { kind: 'class' };
  if (first === 'is' || first === 'are') return { kind: 'copula', verb: 'is', rest: split(text).slice(1).join(' ') };
  if (first === 'was' || first === 'were') return { kind: 'copula', verb: 'was', rest: split(text).slice(1).join(' ') };
  if (first === 'has' && words.length > 1) return { kind: 'noun', text: split(text).slice(1).join(' ') };
  if (words.length > 1 && PREPOSITIONS.has(first)) return { kind: 'noun', text: split(text).slice(1).join(' ') };
  if (words.length > 1 && PREPOSITIONS.has(last)) {
    const before = words[words.length - 2];
    // "Married on" tells when it was, "married to" how things stand.
    if (before === 'married' && HAD.test(last)) return { kind: 'copula', verb: 'was', rest: text };
    if (STATES.has(before) || (last === 'of' && isParticiple(before))) return { kind: 'copula', verb: 'is', rest: text };
    if (last !== 'by' && ACTIVE.has(before)) return { kind: 'verb', text };
    if (isParticiple(before) || (words.length === 3 && last === 'by' && isParticiple(first) && PREPOSITIONS.has(before))) return { kind: 'copula', verb: 'was', rest: text };
    if (last === 'of') return { kind: 'copula', verb: 'is', rest: before === 'part' ? text : `${UNIQUE.has(before) ? 'the' : article(first)} ${text}` };
    if (before.endsWith('s')) return { kind: 'verb', text };
    // "Partner at" says what something is, "responsible for" how it is.
    if (words.length === 2 && ROLE_PREPOSITIONS.has(last) && thesaurus().has(before)) return { kind: 'copula', verb: 'is', rest: thesaurus().is(before, 'n') ? `${article(first)} ${text}` : text };
    // "Office in", "licence valid until": what something has there, or till then.
    if (HAD.test(last) && (words.length === 2 || before === 'valid') && thesaurus().has(first)) {
      if (!thesaurus().is(first, 'n')) return { kind: 'copula', verb: 'is', rest: text };
      return thesaurus().isKind(before, 'person', 1) ? { kind: 'copula', verb: 'is', rest: `${article(first)} ${text}` } : { kind: 'verb', text: `has ${article(first)} ${text}` };
    }
    return { kind: 'noun', text };
  }
  if (words.length === 1 && (VERBS.has(first) || isParticiple(first) || (first.endsWith('s') && thesaurus().isOnlyVerb(first)))) return { kind: 'verb', text };
  return { kind: 'noun', text };
}

/** What happens at a time and is never counted: of these alone a number may be a year. */
const EVENTS = set('founded established opened reopened born died released published incorporated launched completed inaugurated invented formed dissolved closed retired created built premiered graduated married abolished ratified signed dated');
/** The preposition that a bare "founded" or "died" lacks before these values, if they are all times: "in" before years and months, "on" before days. */
export function temporal(label: string, values: readonly (string | number)[]): 'in' | 'on' | undefined {
  const word = label.toLowerCase();
  if (!isParticiple(word) && !EVENTS.has(word)) return undefined;
  const isYear = (value: string | number): boolean => (typeof value === 'number' ? EVENTS.has(word) && Number.isInteger(value) && value >= 1000 && value <= 2100 : /^\d{4}(-\d{2})?$/.test(value));
  if (values.every(isYear)) return 'in';
  return values.every((value) => typeof value === 'string' && /^\d{4}-\d{2}-\d{2}$/.test(value)) ? 'on' : undefined;
}

/** Words that begin with a vowel and sound as "you" or "won" do. */
const AS_CONSONANTS = /^(?:uni(?!n|m[pa])|u[krst][aeiou]|u(?:biq|ganda|kra|nanim)|eu|ewe|one\b|once\b)/;
const AS_VOWELS = /^(?:[aeiou]|hour|honest|hono|heir|8|1[18](?!\d))/i;
/** The article before a phrase goes by its sound: "a university", "an hour", "a US state". */
export function article(phrase: string): 'a' | 'an' {
  const spelled = /^\p{Lu}{2}/u.test(phrase);
  if (spelled ? phrase.startsWith('U') : AS_CONSONANTS.test(phrase.toLowerCase())) return 'a';
  return AS_VOWELS.test(phrase) ? 'an' : 'a';
}

/** Words that end in "man" or "men" and have nothing to do with "man". */
const NOT_OF_MAN = /^(?:(?:(?:super|non|sub)?hu|ger|ro|nor|otto|sha|talis|cai|brah)man|(?:speci|abdo|o|regi|acu|bitu|lu|sta|cycla|ra|hy)men)$/i;
/** Singular, though they end as plurals do. */
const SINGULAR = /^(?:species|series|news|gas|lens|alias|bias|atlas|canvas|chaos|ethos|cosmos|[a-z]*(?:mathemat|informat|phys|econom|polit|eth|genet|electron|dynam|linguist)ics)$/i;
export const isPlural = (noun: string): boolean => {
  const head = headOf(noun);
  return /[^sui]s$|(men|people|children)$/.test(head) && !NOT_OF_MAN.test(head) && !SINGULAR.test(head);
};
/** The word of a noun phrase that takes the plural: the last one, or the one before "of" or another preposition. */
const headOf = (noun: string): string => split(noun.replace(/ of( .*)?$/, '').replace(/(?<=\S) (?:in|at|on|to|for|with|from|by|until|till|since)$/, '')).at(-1) ?? '';

/** "genre" -> "genres", "date of birth" -> "dates of birth". */
export function plural(noun: string): string {
  const head = headOf(noun);
  if (isPlural(noun) || !/[a-z]$/i.test(head) || /(?:species|series|news|ics)$/i.test(head)) return noun;
  let form = `${head}s`;
  if (/(s|x|z|ch|sh)$/.test(head)) form = `${head}es`;
  else if (/[^aeiou]y$/.test(head)) form = `${head.slice(0, -1)}ies`;
  else if (/[a-z]man$/.test(head) && !NOT_OF_MAN.test(head)) form = `${head.slice(0, -2)}en`;
  else if (/(^|\w)child$/.test(head)) form = `${head}ren`;
  const at = noun.lastIndexOf(head, noun.search(/ of( |$)|$/));
  return noun.slice(0, at) + form + noun.slice(at + head.length);
}

/** "likes" -> "like", "works for" -> "work for"; past forms stay. */
export function pluralVerb(text: string): string {
  const [first, ...rest] = split(text);
  let form = first;
  if (first === 'has') form = 'have';
  else if (/[^aeiou]ies$/.test(first)) form = `${first.slice(0, -3)}y`;
  else if (/(ss|x|zz|ch|sh|o)es$/.test(first)) form = first.slice(0, -2);
  else if (/[^s]s$/.test(first)) form = first.slice(0, -1);
  return [form, ...rest].join(' ');
}

/** Usual verbs that no sign of a verb ends. */
const VERBS_HAN = set('获得 荣获 赢得 取得 得到 师从 拥有 担任 创立 创办 创建 建立 撰写 著有 执导 出演 饰演 嫁给 娶 包含 包括 加入 参加 参与 使用 击败 喜欢 认识 患有 负责 饲养 管理 经营 种植 生产 收养 主办 承办 协办 赞助 收藏 调入 调出 转入 转出 擅长');
/** Chinese: how a label is read. `verb` is followed by its object at once. */
export function labelShapeZh(label: string): { readonly kind: 'class' | 'verb' | 'noun'; readonly text: string } {
  if (label === '是' || label === 'is a') return { kind: 'class', text: '是' };
  const text = /\p{Script=Han}/u.test(label) ? label : `“${label}”`;
  return { kind: VERBS_HAN.has(text) || /^喜欢.|[于在到为自过了]$/.test(text) ? 'verb' : 'noun', text };
}
