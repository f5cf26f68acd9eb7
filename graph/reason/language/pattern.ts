// Owns `matches`: regular expressions that take time proportional to text times pattern, whatever the pattern is.
// Refuses look-around and back-references, which no automaton can follow.
//
// Thompson's simulation (CACM 1968): the pattern becomes a list of instructions, and the text is read once with the set of all places the pattern may be at.

/** Characters of a pattern at most. */
export const PATTERN_LIMIT = 200;
/** Instructions of a pattern at most, after repetitions are written out. */
const PROGRAM_LIMIT = 1_000;

type Test = (code: number) => boolean;
type Instruction =
  | { readonly op: 'test'; readonly test: Test }
  | { readonly op: 'split'; a: number; b: number }
  | { readonly op: 'jump'; a: number }
  | { readonly op: 'start' }
  | { readonly op: 'end' }
  /** Between a word and what is none; with `inside`, anywhere else. */
  | { readonly op: 'edge'; readonly inside: boolean }
  | { readonly op: 'match' };
/** A pattern that is not of the language; the message says what is wrong. */
export class PatternError extends Error {}

const TOO_MUCH = `the pattern repeats too much: with its repetitions written out it has more than ${PROGRAM_LIMIT} steps`;

const between =
  (low: number, high: number): Test =>
  (code) =>
    code >= low && code <= high;
const WORD: Test = (code) => /[\p{L}\p{N}_]/u.test(String.fromCodePoint(code));
const isWord = (code: number | undefined): boolean => code !== undefined && WORD(code);
const CLASSES: Readonly<Record<string, Test>> = {
  d: between(48, 57),
  D: (code) => code < 48 || code > 57,
  w: WORD,
  W: (code) => !WORD(code),
  s: (code) => /\s/u.test(String.fromCodePoint(code)),
  S: (code) => !/\s/u.test(String.fromCodePoint(code)),
};
const CONTROLS: Readonly<Record<string, string>> = { n: '\n', r: '\r', t: '\t' };

class Compiler {
  readonly #signs: readonly string[];
  #at = 0;
  readonly program: Instruction[] = [];
  constructor(source: string) {
    this.#signs = Array.from(source);
  }
  compile(): Instruction[] {
    this.#alternatives();
    if (this.#at < this.#signs.length) throw new PatternError('")" closes nothing');
    this.#push({ op: 'match' });
    return this.program;
  }
  #push<T extends Instruction>(instruction: T): T {
    if (this.program.length >= PROGRAM_LIMIT) throw new PatternError(TOO_MUCH);
    this.program.push(instruction);
    return instruction;
  }
  #alternatives(): void {
    const start = this.program.length;
    this.#sequence();
    if (this.#signs[this.#at] !== '|') return;
    this.#at++;
    const split = this.#insert(start, { op: 'split', a: start + 1, b: 0 });
    const leave = this.#push({ op: 'jump', a: 0 });
    split.b = this.program.length;
    this.#alternatives();
    leave.a = this.program.length;
  }
  /** Puts an instruction before what was written from `at` on. */
  #insert<T extends Instruction>(at: number, instruction: T): T {
    if (this.program.length >= PROGRAM_LIMIT) throw new PatternError(TOO_MUCH);
    for (const other of this.program.slice(at)) shift(other, at, 1);
    this.program.splice(at, 0, instruction);
    return instruction;
  }
  #sequence(): void {
    for (let sign = this.#signs[this.#at]; sign !== undefined && sign !== '|' && sign !== ')'; sign = this.#signs[this.#at]) this.#repeated();
  }
  #repeated(): void {
    const start = this.program.length;
    this.#single();
    const sign = this.#signs[this.#at];
    if (sign === '*' || sign === '+' || sign === '?') {
      this.#at++;
      this.#repeat(start, sign === '+' ? 1 : 0, sign === '?' ? 1 : Number.POSITIVE_INFINITY);
    } else if (sign === '{') {
      const match = /^\{(\d+)(?:(,)(\d+)?)?\}/.exec(this.#signs.slice(this.#at).join(''));
      if (!match) throw new PatternError('"{" needs a count, such as {2} or {1,3}; a brace itself is \\{');
      this.#at += match[0].length;
      const least = Number(match[1]);
      const most = match[2] === undefined ? least : match[3] === undefined ? Number.POSITIVE_INFINITY : Number(match[3]);
      if (most < least) throw new PatternError(`{${least},${most}} counts backwards`);
      if (least >= PROGRAM_LIMIT || (Number.isFinite(most) && most >= PROGRAM_LIMIT)) throw new PatternError(TOO_MUCH);
      this.#repeat(start, least, most);
    } else return;
    // What is met with as little as possible is met all the same.
    if (this.#signs[this.#at] === '?') this.#at++;
    const again = this.#signs[this.#at];
    if (again === '*' || again === '+' || again === '?' || again === '{')
      throw new PatternError(`"${again}" repeats what is repeated already; repetitions that give nothing back (such as a++) are not known, others need brackets: (a+)${again === '{' ? '{2}' : again}`);
  }
  #repeat(start: number, least: number, most: number): void {
    const unit = this.program.slice(start).map((instruction) => ({ ...instruction }));
    this.program.length = start;
    const write = (): void => {
      const offset = this.program.length - start;
      for (const instruction of unit) {
        const copy = { ...instruction };
        shift(copy, Number.NEGATIVE_INFINITY, offset);
        this.#push(copy);
      }
    };
    for (let i = 0; i < least; i++) write();
    if (most === Number.POSITIVE_INFINITY) {
      const split = this.#push({ op: 'split', a: this.program.length + 1, b: 0 });
      const at = this.program.length - 1;
      write();
      this.#push({ op: 'jump', a: at });
      split.b = this.program.length;
      return;
    }
    const splits: { b: number }[] = [];
    for (let i = least; i < most; i++) {
      splits.push(this.#push({ op: 'split', a: this.program.length + 1, b: 0 }));
      write();
    }
    for (const split of splits) split.b = this.program.length;
  }
  #single(): void {
    const sign = this.#signs[this.#at++];
    if (sign === '(') {
      if (this.#signs[this.#at] === '?') {
        if (this.#signs[this.#at + 1] !== ':') throw new PatternError('of groups with "(?" only (?:..) is known: there is no look-around, and names and switches mean nothing here');
        this.#at += 2;
      }
      this.#alternatives();
      if (this.#signs[this.#at] !== ')') throw new PatternError('"(" is not closed');
      this.#at++;
    } else if (sign === '[') this.#push({ op: 'test', test: this.#set() });
    else if (sign === '.') this.#push({ op: 'test', test: (code) => code !== 10 });
    else if (sign === '^') this.#push({ op: 'start' });
    else if (sign === '$') this.#push({ op: 'end' });
    else if (sign === '*' || sign === '+' || sign === '?' || sign === '{') throw new PatternError(`"${sign}" repeats nothing`);
    else if (sign === '\\') {
      const escape = this.#signs[this.#at++];
      if (escape === 'b' || escape === 'B') this.#push({ op: 'edge', inside: escape === 'B' });
      else this.#push({ op: 'test', test: this.#class(escape) ?? is(escaped(escape)) });
    } else this.#push({ op: 'test', test: is(sign) });
  }
  /** `\d`, `\p{Lu}` and the like, behind the backslash. */
  #class(escape: string | undefined): Test | undefined {
    if (escape !== 'p' && escape !== 'P') return escape === undefined ? undefined : CLASSES[escape];
    const name = /^\{([\w=]{1,60})\}/.exec(this.#signs.slice(this.#at).join(''));
    let property: RegExp | undefined;
    try {
      property = name ? new RegExp(`\\${escape}${name[0]}`, 'u') : undefined;
    } catch {
      property = undefined;
    }
    if (!name || !property) throw new PatternError(`"\\${escape}" needs a property of Unicode, such as \\p{L}, \\p{Lu} or \\p{Script=Han}`);
    this.#at += name[0].length;
    const test = property;
    return (code) => test.test(String.fromCodePoint(code));
  }
  #set(): Test {
    const tests: Test[] = [];
    const denied = this.#signs[this.#at] === '^';
    if (denied) this.#at++;
    for (let first = true; ; first = false) {
      const sign = this.#signs[this.#at++];
      if (sign === undefined) throw new PatternError('"[" is not closed');
      if (sign === ']' && !first) break;
      if (sign === '[' && /^:[a-z]+:\]/.test(this.#signs.slice(this.#at, this.#at + 12).join(''))) throw new PatternError('"[:..:]" is not known in brackets; write a property of Unicode, such as [\\p{L}] for [[:alpha:]]; a bracket itself is \\[');
      const escape = sign === '\\' ? this.#signs[this.#at++] : undefined;
      const several = escape === undefined ? undefined : this.#class(escape);
      if (several) {
        tests.push(several);
        continue;
      }
      const low = (sign === '\\' ? escaped(escape) : sign).codePointAt(0) as number;
      if (this.#signs[this.#at] === '-' && this.#signs[this.#at + 1] !== ']' && this.#signs[this.#at + 1] !== undefined) {
        this.#at++;
        const end = this.#signs[this.#at++];
        const high = (end === '\\' ? escaped(this.#signs[this.#at++]) : end).codePointAt(0) as number;
        if (high < low) throw new PatternError('a range in "[..]" runs backwards');
        tests.push(between(low, high));
      } else tests.push(between(low, low));
    }
    return (code) => tests.some((test) => test(code)) !== denied;
  }
}
const is = (sign: string): Test => {
  const wanted = sign.codePointAt(0);
  return (code) => code === wanted;
};
function escaped(sign: string | undefined): string {
  if (sign === undefined) throw new PatternError('"\\" stands at the end');
  if (CONTROLS[sign]) return CONTROLS[sign];
  if (/[\p{L}\p{N}]/u.test(sign)) throw new PatternError(`"\\${sign}" is not known`);
  return sign;
}
function shift(instruction: Instruction, from: number, by: number): void {
  if (instruction.op === 'jump' || instruction.op === 'split') if (instruction.a >= from) instruction.a += by;
  if (instruction.op === 'split' && instruction.b >= from) instruction.b += by;
}

const compiled = new Map<string, readonly Instruction[]>();
function programOf(pattern: string): readonly Instruction[] {
  const known = compiled.get(pattern);
  if (known) return known;
  const length = Array.from(pattern).length;
  if (length > PATTERN_LIMIT) throw new PatternError(`the pattern has ${length} characters; at most ${PATTERN_LIMIT} are allowed`);
  const program = new Compiler(pattern).compile();
  if (compiled.size >= 256) compiled.clear();
  compiled.set(pattern, program);
  return program;
}
/** Why this is no pattern; undefined when it is one. */
export function patternFault(pattern: string): string | undefined {
  try {
    programOf(pattern);
    return undefined;
  } catch (error) {
    if (error instanceof PatternError) return error.message;
    throw error;
  }
}

/** Does the pattern match somewhere in the text? `^` and `$` are the text's ends. undefined when it is no pattern. */
export function matchesPattern(text: string, pattern: string): boolean | undefined {
  if (patternFault(pattern) !== undefined) return undefined;
  const program = programOf(pattern);
  const codes = Array.from(text, (sign) => sign.codePointAt(0) as number);
  let current: number[] = [];
  const seen = new Int32Array(program.length).fill(-1);
  for (let at = 0; at <= codes.length; at++) {
    // A match may begin at every place.
    const open = [0, ...current].toReversed();
    const tests: number[] = [];
    while (open.length > 0) {
      const i = open.pop() as number;
      if (seen[i] === at) continue;
      seen[i] = at;
      const instruction = program[i];
      if (instruction.op === 'match') return true;
      if (instruction.op === 'jump') open.push(instruction.a);
      else if (instruction.op === 'split') open.push(instruction.b, instruction.a);
      else if (instruction.op === 'start') {
        if (at === 0) open.push(i + 1);
      } else if (instruction.op === 'end') {
        if (at === codes.length) open.push(i + 1);
      } else if (instruction.op === 'edge') {
        if ((isWord(codes[at - 1]) === isWord(codes[at])) === instruction.inside) open.push(i + 1);
      } else tests.push(i);
    }
    if (at === codes.length) return false;
    current = tests.flatMap((i) => ((program[i] as { test: Test }).test(codes[at]) ? [i + 1] : []));
  }
  return false;
}
