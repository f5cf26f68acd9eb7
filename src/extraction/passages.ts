// Owns cutting a text into passages of a few sentences, short enough for a small model.
// Refuses to know what is read in them.

const SENTENCES = 3;
/** Characters of a passage, unless one sentence alone has more. */
const CHARACTERS = 400;
/** Columns of a line from which on it may have been broken for its length. */
const WRAPPED = 60;

const HAN = /\p{Script=Han}/u;
/** Signs of Chinese are two columns wide. More than make a wrapped line are not counted. */
const columns = (text: string): number => Array.from(text.slice(0, WRAPPED)).reduce((sum, sign) => sum + (HAN.test(sign) ? 2 : 1), 0);
const BREAK = /[\r\n\u0085\u2028\u2029]$/;
/** A line break of two signs, or several line breaks with nothing between them: there may be millions, and each would be a sentence. */
const GAP = /[\r\n\u0085\u2028\u2029][\s\u0085]*[\r\n\u0085\u2028\u2029]/g;
/** A sentence, or what announces a list, is over. */
const OVER = /[.!?:。！？：…]["'”’」』)\]）】]*$/u;
/** An item of a list, a row of a table, a heading or a quotation begins. */
const MARKED = /^\s*(?:[-*•·+>|#]|\d{1,3}[.)、])/u;
/** A title or an initial, which ends no sentence where a name follows: "Dr. Berg", "J. R. R. Tolkien", "the U.S. Capitol". */
const SHORTENED = /(?:^|[\s.([“"'‘-])(?:\p{Lu}|Dr|Mr|Mrs|Ms|Prof|St|Ste|Mt|Ft|Rev|Hon|Gen|Col|Lt|Sgt|Capt|Gov|Sen|Rep)\.[^\S\r\n]+$/u;
/** A letter that is no initial: "plan B", "an A". */
const LETTER = /(?:^|\s)(?:an?|the|appendix|class|grade|group|hepatitis|part|plan|section|type|vitamin)\s\p{Lu}\.\s+$/iu;
/** Words with which a sentence begins, and no name goes on. */
const BEGINS = /^(?:He|She|It|They|We|You|I|His|Her|Its|Their|Our|My|Your|The|An?|This|That|These|Those|There|In|On|At|By|From|After|Before|During|Since|When|While|As|If|But|And|So|Then|Later|Both|Who|What|Where)\b/u;
/** Characters in which a shortened word is looked for. */
const LAST = 16;
function isShortened(before: string, next: string): boolean {
  const last = before.slice(-LAST);
  return SHORTENED.test(last) && !LETTER.test(last) && /^\p{Lu}/u.test(next) && !BEGINS.test(next);
}
/** Does a sentence go on behind a line break? It does where the next line begins with a small letter, or its line is so long that it was wrapped. */
const goesOn = (before: string, width: number, next: string): boolean =>
  next.trim() !== '' && !OVER.test(before.trimEnd()) && !MARKED.test(next) && (/^\s*\p{Ll}/u.test(next) || width >= WRAPPED);
/** A sentence without the mark of the item of a list, the quotation or the heading that it is. */
export const withoutMark = (sentence: string): string => sentence.replace(/^(?:[-–—*•·‣◦▪+>#]+|\(?\d{1,3}[.)]|\(?[a-z]\))\s+(?=\S)/u, '');
/** Two parts of a sentence without the line break between them: a blank, in Chinese nothing. */
function inOneLine(before: string, next: string): string {
  const [head, tail] = [before.trimEnd(), next.trimStart()];
  return head + (/[\p{Script=Han}，、；]$/u.test(head) && /^[\p{Script=Han}“《（]/u.test(tail) ? '' : ' ') + tail;
}

/** Sentences as Unicode's UAX #29 has them, except that what goes on behind the end of a line, or behind a title or an initial, is one. */
function* sentencesOf(text: string): Generator<string> {
  const lines = text.replace(GAP, (gap) => (gap === '\r\n' ? '\n' : '\n\n'));
  let [sentence, width] = ['', 0];
  for (const { segment } of new Intl.Segmenter('en', { granularity: 'sentence' }).segment(lines)) {
    const broken = BREAK.test(sentence);
    const fits = sentence.length + segment.length <= CHARACTERS;
    if (broken && fits && goesOn(sentence, width, segment)) sentence = inOneLine(sentence, segment);
    else if (fits && isShortened(sentence, segment)) sentence += segment;
    else {
      if (sentence !== '') yield sentence;
      sentence = segment;
    }
    width = (broken ? 0 : width) + columns(segment.trimEnd());
  }
  if (sentence !== '') yield sentence;
}

/** Passages of at most so many sentences in the order of the text: without the blanks around them, with one blank where there are several or one of another width, lines that were wrapped in one. A text is read no further than they are asked for. */
export function* passagesOf(text: string, most = SENTENCES): Generator<string> {
  let sentences = 0;
  let passage = '';
  const tidy = (): string => passage.trim().replace(/[^\S\r\n]+/g, ' ');
  for (const sentence of sentencesOf(text)) {
    if (sentences >= most || passage.length + sentence.length > CHARACTERS) {
      if (passage.trim() !== '') yield tidy();
      [sentences, passage] = [0, ''];
    }
    passage += sentence;
    if (sentence.trim() !== '') sentences++;
  }
  if (passage.trim() !== '') yield tidy();
}
