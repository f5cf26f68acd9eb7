// Owns which stretches of a passage can be names: from the border of a word to that of another, without the signs around them, and none that means another.
// Refuses to know models, relations and how facts are written.

interface Atom {
  /** A run of letters and digits, a sign, or a Chinese character, each of which may begin a name. */
  readonly text: string;
  /** Blanks between it and the next one. */
  readonly gap: string;
}
const ATOM = /\p{Script=Han}|(?:(?!\p{Script=Han})[\p{L}\p{N}\p{M}])+|[^\s|]/gu;
/** Signs that stand behind a name, between names or around them, and are no beginning of one. */
const NOT_FIRST = /^[,.;:!?)\]}"“”‘’，。、；：！？）》】」』“‘「『…]/u;
const NOT_LAST = /[,;:([{"“”‘，、；：。（《【「『…]$/u;
/** They part what stands before from what stands behind. */
const PARTS = /^[;；。]/u;
/** They end a sentence, or belong to a name in its midst: "Acme Inc. is", "Yahoo! is". */
const MAYBE_LAST = /[.!?！？]$/u;
const PRONOUNS = new Set('i me my mine we us our ours you your yours he him his she her hers it its they them their theirs this that these those there who whom whose which what where when'.split(' '));
const CHINESE_PRONOUNS = /^(?:[她它]|[我你他](?:们|的|$)|[这那](?:[个些里位是]|$)|其(?:[他中]|$))/u;

const WORD = /[\p{L}\p{N}\p{M}]/u;
const HAN = /\p{Script=Han}/u;
/** Would a name that ends before `right` and begins behind `left` cut a word in two? Chinese words have no borders. */
const cuts = (left: string, right: string): boolean => WORD.test(left) && WORD.test(right) && !HAN.test(left) && !HAN.test(right);

/** Does it stand for another name, as "she" and "His wife" do? "His Dark Materials" does not. */
function isPronoun(name: string): boolean {
  const [, first = '', next] = /^([\p{L}\p{M}]+)(?:$|\s+(\S))/u.exec(name) ?? [];
  const alone = next === undefined || /\p{Ll}/u.test(next) || /^\p{Ll}/u.test(first);
  return CHINESE_PRONOUNS.test(name) || (PRONOUNS.has(first.toLowerCase()) && alone);
}
/** Small words with which a clause goes on, and no name ends; the first of them begin none, nor do times: "in 1911". */
const GOES_ON = /(?:^(?:is|are|was|were|has|have|had|does|did|not|never|if|whether|while|but|because) |^(?:in|on|at|by|from|since) \d|^(?:in|on|at|by|from|near|outside|inside|until|since) (?:the )?\p{Lu})|(?:(?:^| )(?:is|are|was|were|be|been|has|have|had|does|did|do|will|would|can|could|may|might|must|not|never|\p{L}+n['’]t|an?|the|and|or|of|in|on|at|to|by|with|from|for|against|into|during|since|until|who|which|that))$|^(?:现在|目前|曾经|后来|当时)|是$/u;
/** An amount of something, which is no name: "several prizes". */
const AMOUNT = /^(?:several|many|some|few|various|numerous|most|all|both|each|every|any|no|another|other|two|three|four|five|six|seven|eight|nine|ten) [^\p{Lu}\p{N}\p{Script=Han}]+$/u;
/** What stands before a piece of something that is no name, or of a longer name: "her brother", "several prizes", "No Country". */
const OF_ANOTHER = /(?:^|[^\p{L}])(?:his|her|its|their|my|our|your|several|many|some|few|various|numerous|another)\s$/iu;
const IN_TITLE = /(?:^|[^\p{L}])(?:No|Never|Not|If)\s$/u;
/** The subject of another clause is no end of a name: "Before he". */
const LED_BY_PRONOUN = /\s(?:he|she|it|they|we|you|who|which)$/u;
/** Does it stand in the passage as a name does: between borders of words, without a pronoun in front, which means another one, and without a piece of the clause around it? */
export function stands(name: string, passage: string): boolean {
  if (name === '' || isPronoun(name) || LED_BY_PRONOUN.test(name) || GOES_ON.test(name) || AMOUNT.test(name[0].toLowerCase() + name.slice(1))) return false;
  const isName = /^[\p{Lu}\p{N}\p{Script=Han}]/u.test(name);
  for (let at = passage.indexOf(name); at >= 0; at = passage.indexOf(name, at + 1)) {
    const before = passage.slice(Math.max(0, at - 12), at);
    if (!cuts(passage[at - 1] ?? '', name[0]) && !cuts(name.at(-1) ?? '', passage[at + name.length] ?? '') && !(isName ? IN_TITLE : OF_ANOTHER).test(before)) return true;
  }
  return false;
}

const LED_BY_TIME = /^(?:In|Until|Till|Since|By|Before|After|Around|About|From|Between)\s(?:(?:early|late|mid)[\s-])?\d{3,4}s?(?:\s(?:to|until|till|and|through)\s\d{3,4})?,?\s(?=\p{Lu})/u;
/** "Until 1990 Plato": the name without the time that leads to it at the beginning of the text. */
export const withoutTime = (name: string, text: string): string => (text.startsWith(name) ? name.replace(LED_BY_TIME, '') : name);

/** Small words within names. */
const WITHIN = new Set('of the and de von van der den da di du del la le for'.split(' '));
/** "Founded by Larry Page, Google", "Contrary to popular belief, Einstein": the name without the phrase that leads to it at the beginning of the text. */
export function withoutLead(name: string, text: string): string {
  const [, lead = '', rest = name] = /^([^,]+),\s(\p{Lu}[^,]*)$/u.exec(name) ?? [];
  return text.startsWith(name) && (lead.match(/(?<![\p{L}'’])\p{Ll}\p{L}*/gu) ?? []).some((word) => !WITHIN.has(word)) ? rest : name;
}
const ASIDE = /\s\((?:(?:born|died|née|né|b\.|d\.)\s[^()]*|(?:c\.\s?)?\d{1,4}(?:\s?BCE?)?\s?[-–—][^()]*|\d{1,2}\s\p{Lu}[^()]*\d{3,4}[^()]*|\p{Lu}\p{Ll}+\s\d{1,2},\s\d{3,4}[^()]*)\)$/u;
/** "Marie Curie (born in Warsaw)", "Kant (1724–1804)": the name without what is told of its life beside it. */
export const withoutAside = (name: string): string => name.replace(ASIDE, '');

const MONTH = '(?:January|February|March|April|May|June|July|August|September|October|November|December)';
const TIMED = new RegExp(`\\s(?:in|on|since|until|around|about)\\s(?:(?:early|late|mid)[\\s-])?(?:\\d{1,2}\\s)?(?:${MONTH}\\s)?(?:\\d{1,2},\\s)?\\d{4}$`, 'u');
const YEAR_FIRST = /^(\d{4})\s(?:by|in|at|on|with|for)\s.+$/u;
/** "Lagos on 3 December 2001", "1902 by Lord Ashgrove": what was told last, without what the sentence goes on with. */
export const withoutTail = (name: string): string => name.replace(TIMED, '').replace(YEAR_FIRST, '$1');
/** "Owns Chateau Lirac, which grows Syrah": told of what the clause hangs on. `tells`: the word speaks of the relation. */
export function isOfRelative(subject: string, passage: string, tells: (word: string) => boolean): boolean {
  const telling = [...passage.matchAll(/\p{L}+/gu)].filter(({ 0: word }) => tells(word));
  return telling.length > 0 && telling.every(({ index }) => {
    const before = /^(.*),\s(?:which|who)\s$/su.exec(passage.slice(0, index))?.[1];
    return before !== undefined && before.includes(subject) && !before.endsWith(subject);
  });
}

const TITLED = /(?:(?:^|(?<=\s))\p{Lu}[\p{L}\p{M}'’-]*\s)+of\s(?:the\s)?$/u;
const ARTICLE = /^(?:The|An?)\s/u;
/** The name with what it is always said to be of: "University of Oslo" for Oslo, unless the head is what `isHead` says is none of a name, as in "Director of Psycho". */
export function wholeName(name: string, passage: string, isHead: (word: string) => boolean): string {
  let whole = name;
  if (!/^\p{Lu}/u.test(name)) return name;
  for (let at = passage.indexOf(name); at >= 0; at = passage.indexOf(name, at + 1)) {
    const head = TITLED.exec(passage.slice(Math.max(0, at - 100), at))?.[0].replace(ARTICLE, '') ?? '';
    if (/^(?:$|of\s)/u.test(head) || head.split(/\s/).some((word) => isHead(word))) return name;
    whole = head + name;
  }
  return whole;
}
const HEAD_OF = /(?:^|[^\p{L}])(?:the|an?|his|her|its|their)\s(?:\p{Ll}+\s)*?(\p{Ll}+)\sof\s(?:the\s)?$/iu;
/** Heads that are what they are said to be of: "the city of Ulm". */
const SAME_AS = /^(?:city|town|village|state|country|kingdom|republic|empire|province|county|district|region|island|isle|river|lake|house|battle|name|band|company)$/;
/** "The father of Plato was born": what is told behind the name is told of another. `tells`: the word speaks of the relation. */
export function isOfAnother(name: string, passage: string, tells: (word: string) => boolean): boolean {
  let found = false;
  for (let at = passage.indexOf(name); at >= 0; at = passage.indexOf(name, at + 1)) {
    const head = HEAD_OF.exec(passage.slice(Math.max(0, at - 100), at))?.[1];
    const behind = /^\s(?:is|are|was|were|has|had|\p{Ll}+(?:ed|s))\b/u.test(passage.slice(at + name.length));
    if (head === undefined || SAME_AS.test(head) || tells(head) || !behind || !(passage.slice(at + name.length).match(/\p{L}+/gu) ?? []).some(tells)) return false;
    found = true;
  }
  return found;
}
const AWAY = /(?:^|[^\p{L}])(near|outside|beyond|far from|away from|close to|next to)\s(?:the\s)?$/iu;
/** "Born near Rome" where the label says "born in". */
export function isElsewhere(name: string, passage: string, label: string): boolean {
  const at = passage.indexOf(name);
  const away = at < 0 || passage.includes(name, at + 1) ? undefined : AWAY.exec(passage.slice(Math.max(0, at - 20), at))?.[1];
  return away !== undefined && !label.toLowerCase().includes(away.toLowerCase());
}
/** Is it only said to be one of a kind: "a film"? */
export function isIndefinite(name: string, passage: string): boolean {
  if (/[\p{Lu}\p{N}\p{Script=Han}]/u.test(name.replace(ARTICLE, ''))) return false;
  return /^an?\s/iu.test(name) || new RegExp(`(?:^|[^\\p{L}])an?\\s${RegExp.escape(name)}`, 'iu').test(passage);
}

const quoted = (text: string): string => `"${text.replace(/["\\]/g, (sign) => `\\${sign}`)}"`;
/** Rules of llama.cpp's GBNF whose `name` is any stretch of the passage that can be a name; without one in it, any text. */
export function nameRules(text: string): readonly string[] {
  const passage = text.toWellFormed();
  const found = [...passage.matchAll(ATOM)];
  const atoms = found.map(({ 0: text, index: at }, i): Atom => ({ text, gap: passage.slice(at + text.length, found[i + 1]?.index ?? passage.length) }));
  const joined = (gap: string): boolean => !/[\n\r|]/.test(gap);
  const goesOn = (i: number): boolean => i < atoms.length - 1 && joined(atoms[i].gap) && !PARTS.test(atoms[i + 1].text);
  const ends = ({ text, gap }: Atom, i: number): boolean =>
    !NOT_LAST.test(text) && (!MAYBE_LAST.test(text) || (i < atoms.length - 1 && joined(gap)));
  /** Whether a name can still end from an atom on. */
  const open: boolean[] = [];
  for (let i = atoms.length - 1; i >= 0; i--) open[i] = ends(atoms[i], i) || (goesOn(i) && open[i + 1]);
  const starts = atoms.flatMap((atom, i) => (open[i] && !NOT_FIRST.test(atom.text) ? [`n${i}`] : []));
  if (starts.length === 0) return ['name ::= [^|\\n\\r ] [^|\\n\\r]*'];
  return [
    `name ::= ${starts.join(' | ')}`,
    ...atoms.flatMap((atom, i) => {
      if (!open[i]) return [];
      const rest = goesOn(i) && open[i + 1] ? `${atom.gap === '' ? '' : `${quoted(atom.gap)} `}n${i + 1}` : '';
      return [`n${i} ::= ${quoted(atom.text)}${rest === '' ? '' : ends(atom, i) ? ` (${rest})?` : ` ${rest}`}`];
    }),
  ];
}
