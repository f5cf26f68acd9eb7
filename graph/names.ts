// Owns how names are compared: folding, the short pieces by which similar names are looked for, similarity from 0 to 1.
// Refuses to know who searches, and where names are kept.

/** Letters that no Unicode decomposition takes apart, as a reader would type them. */
const PLAIN: Readonly<Record<string, string>> = { ß: 'ss', ı: 'i', ł: 'l', ø: 'o', đ: 'd', ð: 'd', þ: 'th', æ: 'ae', œ: 'oe', ħ: 'h', ŧ: 't', ς: 'σ' };
const UNPLAIN = /[ßıłøđðþæœħŧς]/g;
/** Accents and points that are written over letters. Vowel signs and voicing marks are not among them: they make another word. */
const ACCENTS = /[\u0300-\u036f]|[\u0591-\u05c7]|[\u064b-\u065f]|\u0670|[\u1ab0-\u1aff]|[\u1dc0-\u1dff]|[\u20d0-\u20ff]|[\ufe20-\ufe2f]/g;
const INVISIBLE = /[\p{Cc}\p{Cf}]+/gu;
const SIGNS = /[^\p{L}\p{N}\p{M}]+/gu;
const SPACES = /\s+/g;
const SIMPLE = /^[a-z0-9]+(?: [a-z0-9]+)*$/;

/**
 * A name without case, accents, width and punctuation: equal for names that a reader takes for the same. A name of signs only keeps its signs.
 * Folding what is folded changes nothing.
 */
export function foldName(name: string): string {
  const lower = name.toLowerCase();
  if (SIMPLE.test(lower)) return lower;
  const letters = name
    .normalize('NFKD')
    .toLowerCase()
    .normalize('NFKD')
    .replace(ACCENTS, '')
    .replace(UNPLAIN, (letter) => PLAIN[letter])
    .replace(/[\t\n\v\f\r]/g, ' ')
    .replace(INVISIBLE, '')
    .normalize('NFC');
  const words = letters.replace(SIGNS, ' ').trim();
  return words === '' ? letters.replace(SPACES, ' ').trim() : words;
}

const HAN = /\p{Script=Han}/u;
/** Is there a Chinese character in it? */
export const hasHan = (text: string): boolean => HAN.test(text);

/** Scripts written without spaces, or in syllables, where two characters say as much as three letters. */
const DENSE = /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Hangul}]/u;
const START = 1;
const END = 2;
const mix = (a: number, b: number, c: number): number => {
  let hash = Math.imul(a, 0x9e3779b1) ^ Math.imul(b, 0x85ebca6b) ^ Math.imul(c, 0xc2b2ae35);
  hash ^= hash >>> 15;
  return Math.imul(hash, 0x27d4eb2f) >>> 2;
};
/**
 * Calls `visit` with hashes (below 2^30) of the short pieces of a folded name: for each word its groups of three letters, or of two characters in Chinese, Japanese
 * and Korean, beginning and end marked. Names that look alike share many. A piece that is there twice is visited twice.
 */
export function visitNameGrams(folded: string, visit: (hash: number) => void): void {
  for (let from = 0; from < folded.length;) {
    const space = folded.indexOf(' ', from);
    const to = space < 0 ? folded.length : space;
    let dense = false;
    for (let i = from; i < to && !dense; i++) dense = folded.charCodeAt(i) > 0x10ff && DENSE.test(folded.slice(from, to));
    let [first, second] = [START, START];
    for (let i = from; i <= to; i++) {
      const code = i < to ? folded.charCodeAt(i) : END;
      visit(mix(dense ? 0 : first, second, code));
      [first, second] = [second, code];
    }
    from = to + 1;
  }
}

/** The same hashes, each once. */
export function nameGrams(folded: string): number[] {
  const grams = new Set<number>();
  visitNameGrams(folded, (hash) => void grams.add(hash));
  return [...grams];
}

/** Of longer names only this many characters are compared. */
const COMPARED = 256;
/**
 * How much a folded name looks like the folded text somebody typed: 1 exactly when they are equal. A name that begins with the text has at least 0.7, one in which a
 * later word does at least 0.6; otherwise the share of characters that are right (insertion, deletion, replacement and swapped neighbours are one mistake each).
 */
export function nameSimilarity(text: string, name: string): number {
  if (text === name) return 1;
  if (text === '' || name === '') return 0;
  const longest = Math.max(text.length, name.length);
  let score = 0;
  if (name.startsWith(text)) score = 0.7 + (0.29 * text.length) / longest;
  else if (name.includes(` ${text}`)) score = 0.6 + (0.25 * text.length) / longest;
  // Even if all of the shorter name were right, it could not be more than this.
  if (Math.min(text.length, name.length) / longest <= score) return score;
  const [a, b] = [text.slice(0, COMPARED), name.slice(0, COMPARED)];
  const right = 1 - mistakes(a, b) / Math.max(a.length, b.length);
  return Math.max(score, Math.min(right, 1 - 1 / (longest + 1)));
}

let [before, previous, current] = [0, 1, 2].map(() => new Int32Array(COMPARED + 1));
/** Optimal string alignment distance. */
function mistakes(a: string, b: string): number {
  for (let j = 0; j <= b.length; j++) previous[j] = j;
  for (let i = 1; i <= a.length; i++) {
    const code = a.charCodeAt(i - 1);
    const swapped = i > 1 ? a.charCodeAt(i - 2) : -1;
    current[0] = i;
    for (let j = 1; j <= b.length; j++) {
      const other = b.charCodeAt(j - 1);
      let least = previous[j - 1] + (code === other ? 0 : 1);
      if (previous[j] + 1 < least) least = previous[j] + 1;
      if (current[j - 1] + 1 < least) least = current[j - 1] + 1;
      if (j > 1 && swapped === other && code === b.charCodeAt(j - 2) && before[j - 2] + 1 < least) least = before[j - 2] + 1;
      current[j] = least;
    }
    [before, previous, current] = [previous, current, before];
  }
  return previous[b.length];
}
