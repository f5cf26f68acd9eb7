// Owns what grammars are written in, whatever text they came from: characters, sequences, choices, repetitions, and rules by name.
// Refuses to know how it is recognised.

/** A range of code points, both ends included. */
export type Range = readonly [from: number, to: number];
export type Expression =
  /** One byte out of inclusive ranges. */
  | { readonly kind: 'byte'; readonly ranges: readonly Range[] }
  /** One special token, which writes no bytes. */
  | { readonly kind: 'token'; readonly id: number }
  /** Any characters among which none of these texts occurs. */
  | { readonly kind: 'without'; readonly texts: readonly string[] }
  | { readonly kind: 'sequence'; readonly items: readonly Expression[] }
  | { readonly kind: 'choice'; readonly items: readonly Expression[] }
  /** `most` may be infinite. */
  | { readonly kind: 'repeat'; readonly item: Expression; readonly least: number; readonly most: number }
  | { readonly kind: 'rule'; readonly name: string }
  /** A JSON array of which no two items are equal, or an object of which no two names are: what stands between its brackets. That they are not is looked after beside the grammar, which takes any. */
  | { readonly kind: 'distinct'; readonly of: 'items' | 'names'; readonly inside: Expression }
  /** From the first place on, what leads from one to the next, until one at which a text ends. Each thing to read is one object, however often it is read. */
  | { readonly kind: 'automaton'; readonly places: readonly { readonly ends: boolean; readonly after: readonly { readonly read: Expression; readonly target: number }[] }[] };
export interface Grammar {
  readonly root: Expression;
  readonly rules: ReadonlyMap<string, Expression>;
}

export const NOTHING: Expression = { kind: 'sequence', items: [] };
/** Of lists: those that requests make may have more items than a call can have arguments. */
export const sequenceOf = (items: readonly Expression[]): Expression => (items.length === 1 ? items[0] : { kind: 'sequence', items });
export const choiceOf = (items: readonly Expression[]): Expression => (items.length === 1 ? items[0] : { kind: 'choice', items });
export const sequence = (...items: readonly Expression[]): Expression => sequenceOf(items);
export const choice = (...items: readonly Expression[]): Expression => choiceOf(items);
export const repeat = (item: Expression, least: number, most: number): Expression => ({ kind: 'repeat', item, least, most });
export const optional = (item: Expression): Expression => choice(item, NOTHING);
export const token = (id: number): Expression => ({ kind: 'token', id });
export const without = (...texts: readonly string[]): Expression => ({ kind: 'without', texts });
export const rule = (name: string): Expression => ({ kind: 'rule', name });
export const literal = (text: string): Expression =>
  sequenceOf(Array.from(Buffer.from(text, 'utf8'), (byte): Expression => ({ kind: 'byte', ranges: [[byte, byte]] })));

/** The same with other names of its rules, and some parts for others. What is one object stays one. */
export function replaced({ root, rules }: Grammar, nameOf: (name: string) => string, others: ReadonlyMap<Expression, Expression> = new Map()): Grammar {
  const known = new Map(others);
  const moved = (expression: Expression): Expression => {
    const found = known.get(expression) ?? copy(expression);
    known.set(expression, found);
    return found;
  };
  const copy = (expression: Expression): Expression => {
    switch (expression.kind) {
      case 'rule':
        return rule(nameOf(expression.name));
      case 'sequence':
      case 'choice':
        return { kind: expression.kind, items: expression.items.map(moved) };
      case 'repeat':
        return { ...expression, item: moved(expression.item) };
      case 'distinct':
        return { ...expression, inside: moved(expression.inside) };
      case 'automaton':
        return { ...expression, places: expression.places.map(({ ends, after }) => ({ ends, after: after.map(({ read, target }) => ({ read: moved(read), target })) })) };
      case 'byte':
      case 'token':
      case 'without':
        return expression;
      default:
        return expression satisfies never;
    }
  };
  return { root: moved(root), rules: new Map(Array.from(rules, ([name, expression]) => [nameOf(name), moved(expression)])) };
}

export const LAST_POINT = 0x10ffff;
/** Sorted, apart from each other; surrogates, which UTF-8 cannot write, are left out. */
export function normalise(ranges: readonly Range[]): Range[] {
  const cut = ranges.flatMap(([from, to]): Range[] => {
    const parts: Range[] = [];
    if (from < 0xd800) parts.push([from, Math.min(to, 0xd7ff)]);
    if (to > 0xdfff) parts.push([Math.max(from, 0xe000), to]);
    return parts.filter(([a, b]) => a <= b);
  });
  const sorted = cut.toSorted((a, b) => a[0] - b[0]);
  const merged: [number, number][] = [];
  for (const [from, to] of sorted) {
    const last = merged[merged.length - 1];
    if (last && from <= last[1] + 1) last[1] = Math.max(last[1], to);
    else merged.push([from, to]);
  }
  return merged;
}
export function complement(ranges: readonly Range[]): Range[] {
  const result: Range[] = [];
  let next = 0;
  for (const [from, to] of normalise(ranges)) {
    if (from > next) result.push([next, from - 1]);
    next = to + 1;
  }
  if (next <= LAST_POINT) result.push([next, LAST_POINT]);
  return normalise(result);
}

/** First code points of two, three and four bytes. */
const STEPS = [0x80, 0x800, 0x10000, LAST_POINT + 1];
/** One character out of ranges, as the bytes that write it in UTF-8. */
export function characters(ranges: readonly Range[]): Expression {
  const single: Range[] = [];
  const longer: Range[][] = [];
  for (const [from, to] of normalise(ranges)) {
    if (from < 0x80) single.push([from, Math.min(to, 0x7f)]);
    for (let length = 2; length <= 4; length++) {
      const [low, high] = [Math.max(from, STEPS[length - 2]), Math.min(to, STEPS[length - 1] - 1)];
      if (low <= high) longer.push(...split(low, high, length));
    }
  }
  return choice(...(single.length > 0 ? [{ kind: 'byte', ranges: single } as const] : []), ...together(longer));
}
/** Sequences of byte ranges as alternatives that share what they begin with, and first bytes behind which the same may follow. */
export function together(sequences: readonly (readonly Range[])[]): Expression[] {
  const rests = new Map<string, { readonly first: Range; readonly rest: (readonly Range[])[] }>();
  for (const [first, ...rest] of sequences) {
    const found = rests.get(first.join());
    if (found) found.rest.push(rest);
    else rests.set(first.join(), { first, rest: [rest] });
  }
  const alike = new Map<string, { readonly firsts: Range[]; readonly rest: readonly (readonly Range[])[] }>();
  for (const { first, rest } of rests.values()) {
    const key = JSON.stringify(rest);
    const found = alike.get(key);
    if (found) found.firsts.push(first);
    else alike.set(key, { firsts: [first], rest });
  }
  return Array.from(alike.values(), ({ firsts, rest }) => {
    const byte: Expression = { kind: 'byte', ranges: firsts };
    return rest[0].length === 0 ? byte : sequence(byte, choice(...together(rest)));
  });
}
/** Code points that take `length` bytes, as sequences of byte ranges (the method of Russ Cox's RE2, `Utf8Sequences`). */
function split(low: number, high: number, length: number): Range[][] {
  const bytes = (point: number): number[] => {
    const rest = Array.from({ length: length - 1 }, (_, i) => 0x80 | ((point >> (6 * (length - 2 - i))) & 0x3f));
    return [[0, 0xc0, 0xe0, 0xf0][length - 1] | (point >> (6 * (length - 1))), ...rest];
  };
  for (let i = 1; i < length; i++) {
    const mask = (1 << (6 * i)) - 1;
    if ((low & ~mask) === (high & ~mask)) continue;
    if ((low & mask) !== 0) return [...split(low, low | mask, length), ...split((low | mask) + 1, high, length)];
    if ((high & mask) !== mask) return [...split(low, (high & ~mask) - 1, length), ...split(high & ~mask, high, length)];
  }
  const [first, last] = [bytes(low), bytes(high)];
  return [first.map((byte, i): Range => [byte, last[i]])];
}
