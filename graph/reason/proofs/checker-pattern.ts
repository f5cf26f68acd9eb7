// Owns the checker's own `matches`: regular expressions as functions of sets of places, written apart from pattern.ts on purpose.
// Refuses to share code with what it checks.

/** A pattern as a function from a place in the text to all places where it may end (Brzozowski would say: by sets instead of derivatives). */
type Piece = (text: readonly string[], from: ReadonlySet<number>) => Set<number>;
export function matches(text: string, pattern: string): boolean | undefined {
  if (Array.from(pattern).length > 200) return undefined;
  let piece: Piece;
  try {
    piece = new PatternReader(pattern).whole();
  } catch (error) {
    if (error instanceof RangeError) return undefined;
    throw error;
  }
  const signs = Array.from(text);
  return piece(signs, new Set(signs.keys()).add(signs.length)).size > 0;
}
class PatternReader {
  readonly #signs: readonly string[];
  #at = 0;
  constructor(pattern: string) {
    this.#signs = Array.from(pattern);
  }
  whole(): Piece {
    const piece = this.#choice();
    if (this.#at < this.#signs.length) throw new RangeError('unbalanced');
    return piece;
  }
  #choice(): Piece {
    const pieces = [this.#sequence()];
    while (this.#signs[this.#at] === '|') {
      this.#at++;
      pieces.push(this.#sequence());
    }
    return (text, from) => new Set(pieces.flatMap((piece) => [...piece(text, from)]));
  }
  #sequence(): Piece {
    const pieces: Piece[] = [];
    while (this.#at < this.#signs.length && this.#signs[this.#at] !== '|' && this.#signs[this.#at] !== ')') pieces.push(this.#repeated());
    return (text, from) => pieces.reduce((at: ReadonlySet<number>, piece) => piece(text, at), from) as Set<number>;
  }
  #repeated(): Piece {
    const piece = this.#single();
    const rest = this.#signs.slice(this.#at).join('');
    const found = /^(?:[*+?]|\{(\d{1,3})(,?)(\d{0,3})\})/.exec(rest);
    if (!found) {
      if (rest.startsWith('{')) throw new RangeError('a brace without a count');
      return piece;
    }
    this.#at += found[0].length;
    if (this.#signs[this.#at] === '?') this.#at++;
    if (/[*+?{]/.test(this.#signs[this.#at] ?? '')) throw new RangeError('repeated twice');
    const least = found[1] !== undefined ? Number(found[1]) : found[0] === '+' ? 1 : 0;
    const most =
      found[1] !== undefined
        ? found[2] === ''
          ? least
          : found[3] === ''
            ? Number.POSITIVE_INFINITY
            : Number(found[3])
        : found[0] === '?'
          ? 1
          : Number.POSITIVE_INFINITY;
    if (most < least || (found[2] === '' && (found[3] ?? '') !== '')) throw new RangeError('a count that runs backwards');
    return times(piece, least, most);
  }
  #single(): Piece {
    const sign = this.#signs[this.#at++];
    switch (sign) {
      case '(': {
        if (this.#signs[this.#at] === '?') {
          if (this.#signs[this.#at + 1] !== ':') throw new RangeError('an unknown group');
          this.#at += 2;
        }
        const inner = this.#choice();
        if (this.#signs[this.#at++] !== ')') throw new RangeError('unbalanced');
        return inner;
      }
      case '^':
        return (_, from) => new Set(from.has(0) ? [0] : []);
      case '$':
        return (text, from) => new Set(from.has(text.length) ? [text.length] : []);
      case '.':
        return one((each) => each !== '\n');
      case '[':
        return one(this.#set());
      case '\\':
        if (this.#signs[this.#at] !== 'b' && this.#signs[this.#at] !== 'B') return one(this.#escape());
        return this.#signs[this.#at++] === 'b' ? (text, from) => new Set([...from].filter((at) => atEdge(text, at))) : (text, from) => new Set([...from].filter((at) => !atEdge(text, at)));
      case '*':
      case '+':
      case '?':
      case '{':
        throw new RangeError('nothing to repeat');
      default:
        return one((each) => each === sign);
    }
  }
  #escape(): (sign: string) => boolean {
    const sign = this.#signs[this.#at++] ?? '';
    const known = { d: /[0-9]/, D: /[^0-9]/, w: /[\p{L}\p{N}_]/u, W: /[^\p{L}\p{N}_]/u, s: /\s/u, S: /\S/u }[sign];
    if (known) return (each) => known.test(each);
    if (sign === 'p' || sign === 'P') return this.#property(sign);
    const plain = this.#plain(sign);
    return (each) => each === plain;
  }
  #property(sign: string): (sign: string) => boolean {
    const end = this.#signs.indexOf('}', this.#at);
    const name = this.#signs.slice(this.#at, end + 1).join('');
    if (!/^\{[\w=]{1,60}\}$/.test(name)) throw new RangeError('a property without a name');
    this.#at = end + 1;
    try {
      const property = new RegExp(`\\${sign}${name}`, 'u');
      return (each) => property.test(each);
    } catch {
      throw new RangeError('an unknown property');
    }
  }
  #plain(sign: string): string {
    const control = { n: '\n', r: '\r', t: '\t' }[sign];
    if (control !== undefined) return control;
    if (sign === '' || /[\p{L}\p{N}]/u.test(sign)) throw new RangeError('an unknown escape');
    return sign;
  }
  #set(): (sign: string) => boolean {
    const denied = this.#signs[this.#at] === '^';
    if (denied) this.#at++;
    const tests: ((sign: string) => boolean)[] = [];
    for (let first = true; first || this.#signs[this.#at] !== ']'; first = false) {
      if (this.#at >= this.#signs.length) throw new RangeError('unbalanced');
      if (this.#signs[this.#at] === '\\' && /[dDwWsSpP]/.test(this.#signs[this.#at + 1] ?? '')) {
        this.#at++;
        tests.push(this.#escape());
        continue;
      }
      if (/^\[:[a-z]+:\]/.test(this.#signs.slice(this.#at, this.#at + 13).join(''))) throw new RangeError('an unknown class');
      const low = this.#member();
      const ranged = this.#signs[this.#at] === '-' && this.#signs[this.#at + 1] !== undefined && this.#signs[this.#at + 1] !== ']';
      if (ranged) this.#at++;
      const high = ranged ? this.#member() : low;
      const [a, b] = [low.codePointAt(0) as number, high.codePointAt(0) as number];
      if (b < a) throw new RangeError('a range that runs backwards');
      tests.push((each) => (each.codePointAt(0) as number) >= a && (each.codePointAt(0) as number) <= b);
    }
    this.#at++;
    return (sign) => tests.some((test) => test(sign)) !== denied;
  }
  #member(): string {
    const sign = this.#signs[this.#at++];
    return sign === '\\' ? this.#plain(this.#signs[this.#at++] ?? '') : sign;
  }
}
const isWord = (sign: string | undefined): boolean => sign !== undefined && /[\p{L}\p{N}_]/u.test(sign);
const atEdge = (text: readonly string[], at: number): boolean => isWord(text[at - 1]) !== isWord(text[at]);
const one =
  (test: (sign: string) => boolean): Piece =>
  (text, from) =>
    new Set([...from].filter((at) => at < text.length && test(text[at])).map((at) => at + 1));
function times(piece: Piece, least: number, most: number): Piece {
  return (text, from) => {
    let now: ReadonlySet<number> = from;
    for (let i = 0; i < least; i++) now = piece(text, now);
    const reached = new Set(now);
    for (let i = least; i < most && now.size > 0; i++) {
      now = piece(text, now).difference(most === Number.POSITIVE_INFINITY ? reached : new Set());
      for (const at of now) reached.add(at);
    }
    return reached;
  };
}
