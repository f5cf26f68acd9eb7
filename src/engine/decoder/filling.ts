// Owns prompts for text between two others: how each family of models has them written, found by the marks in its vocabulary.
// Refuses to know which model it is and how it runs.

import type { ModelTokenizer } from '../text/tokenizer.ts';

interface Form {
  readonly before: string;
  readonly after: string;
  /** What is to be written follows it; undefined: the text before comes last. */
  readonly between?: string;
}
/** In the order in which they are looked for. */
const FORMS: readonly Form[] = [
  // Qwen Coder, CodeGemma.
  { before: '<|fim_prefix|>', after: '<|fim_suffix|>', between: '<|fim_middle|>' },
  // StarCoder, Granite, StableCode.
  { before: '<fim_prefix>', after: '<fim_suffix>', between: '<fim_middle>' },
  // SantaCoder.
  { before: '<fim-prefix>', after: '<fim-suffix>', between: '<fim-middle>' },
  // DeepSeek Coder and later.
  { before: '<｜fim▁begin｜>', after: '<｜fim▁hole｜>', between: '<｜fim▁end｜>' },
  // GLM.
  { before: '<|code_prefix|>', after: '<|code_suffix|>', between: '<|code_middle|>' },
  // Code Llama.
  { before: '▁<PRE>', after: '▁<SUF>', between: '▁<MID>' },
  // Codestral.
  { before: '[PREFIX]', after: '[SUFFIX]' },
];
/** With these such a text ends, besides the tokens that end any text of the model. */
const ENDS = ['<|fim_pad|>', '<|repo_name|>', '<|file_sep|>', '<|file_separator|>', '<file_sep>', '▁<EOT>'];

export class Filling {
  readonly #tokenizer: ModelTokenizer;
  readonly #form: Form;
  readonly ends: readonly number[];

  private constructor(tokenizer: ModelTokenizer, form: Form) {
    this.#tokenizer = tokenizer;
    this.#form = form;
    const marks = Object.values(form).filter((mark) => typeof mark === 'string');
    this.ends = [...ENDS, ...marks].flatMap((mark) => tokenizer.idOf(mark) ?? []);
  }
  /** Undefined where the vocabulary has no marks for it. */
  static of(tokenizer: ModelTokenizer): Filling | undefined {
    const has = (mark: string | undefined): boolean => mark === undefined || tokenizer.idOf(mark) !== undefined;
    const form = FORMS.find(({ before, after, between }) => has(before) && has(after) && has(between));
    return form && new Filling(tokenizer, form);
  }
  /** Every character of both texts stands for itself. */
  prompt(before: string, after: string): number[] {
    const tokenizer = this.#tokenizer;
    const mark = (text: string): number[] => [tokenizer.idOf(text) ?? []].flat();
    const { before: first, after: second, between } = this.#form;
    const [front, back] = [[...mark(first), ...tokenizer.encodePlain(before)], [...mark(second), ...tokenizer.encodePlain(after)]];
    return [...tokenizer.encodeTrusted(''), ...(between === undefined ? [...back, ...front] : [...front, ...back, ...mark(between)])];
  }
}
