// Owns cutting a text into passages of a few sentences, short enough for a small model.
// Refuses to know what is read in them.

const SENTENCES = 3;
/** Characters of a passage, unless one sentence alone has more. */
const CHARACTERS = 400;

/** Passages in the order of the text, without the blanks around them. Sentences end as Unicode's UAX #29 has it. */
export function passagesOf(text: string): readonly string[] {
  const passages: string[] = [];
  let sentences = 0;
  let passage = '';
  const finish = (): void => {
    if (passage.trim() !== '') passages.push(passage.trim());
    [sentences, passage] = [0, ''];
  };
  for (const { segment } of new Intl.Segmenter('en', { granularity: 'sentence' }).segment(text)) {
    if (sentences >= SENTENCES || passage.length + segment.length > CHARACTERS) finish();
    passage += segment;
    if (segment.trim() !== '') sentences++;
  }
  finish();
  return passages;
}
