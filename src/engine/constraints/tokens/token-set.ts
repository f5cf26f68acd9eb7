// Owns sets of token ids: as a list where they are few, as bits where they are many.
// Refuses to know why these tokens are in it.

export class TokenSet {
  /** Ascending; absent where `bits` are there. */
  readonly ids: Int32Array | undefined;
  /** Bit `id & 31` of word `id >>> 5`. Not to be changed. */
  readonly bits: Uint32Array | undefined;
  /** 0, 1, or 2 for more. */
  readonly size: 0 | 1 | 2;
  /** One of them, the lowest; -1 where there is none. */
  readonly first: number;

  private constructor(ids: Int32Array | undefined, bits: Uint32Array | undefined) {
    this.ids = ids;
    this.bits = bits;
    let [size, first] = [0, -1];
    if (ids) {
      size = ids.length;
      first = ids[0] ?? -1;
    } else if (bits) {
      for (let word = 0; word < bits.length && size < 2; word++) {
        let rest = bits[word];
        while (rest !== 0 && size < 2) {
          if (first < 0) first = word * 32 + 31 - Math.clz32(rest & -rest);
          size++;
          rest &= rest - 1;
        }
      }
    }
    this.size = size > 1 ? 2 : size === 1 ? 1 : 0;
    this.first = first;
  }
  static ofIds(ids: Iterable<number>): TokenSet {
    return new TokenSet(Int32Array.from(ids).sort(), undefined);
  }
  static ofBits(bits: Uint32Array): TokenSet {
    return new TokenSet(undefined, bits);
  }
  /** Of bits, kept as whichever takes less memory. */
  static smallOf(bits: Uint32Array): TokenSet {
    const ids: number[] = [];
    for (let word = 0; word < bits.length; word++)
      for (let rest = bits[word]; rest !== 0; rest &= rest - 1) {
        ids.push(word * 32 + 31 - Math.clz32(rest & -rest));
        if (ids.length >= bits.length) return TokenSet.ofBits(bits);
      }
    return TokenSet.ofIds(ids);
  }

  has(id: number): boolean {
    return this.ids ? this.ids.includes(id) : (((this.bits as Uint32Array)[id >>> 5] >>> (id & 31)) & 1) === 1;
  }
  /** Are there some, and all of them in `others`? */
  within(others: ReadonlySet<number>): boolean {
    if (this.size === 0 || !others.has(this.first)) return false;
    if (this.ids) return this.ids.every((id) => others.has(id));
    const bits = this.bits as Uint32Array;
    for (let word = 0; word < bits.length; word++)
      for (let rest = bits[word]; rest !== 0; rest &= rest - 1) if (!others.has(word * 32 + 31 - Math.clz32(rest & -rest))) return false;
    return true;
  }
  /** Adds its tokens to others. */
  addTo(bits: Uint32Array): void {
    if (this.ids) for (const id of this.ids) bits[id >>> 5] |= 1 << (id & 31);
    else for (let word = 0; word < bits.length; word++) bits[word] |= (this.bits as Uint32Array)[word];
  }
  /** Makes the logits of all other tokens minus infinity. For sets of bits only. */
  mask(logits: Float32Array): void {
    const bits = this.bits as Uint32Array;
    for (let word = 0, id = 0; id < logits.length; word++, id += 32) {
      const here = bits[word] ?? 0;
      if (here === 0) logits.fill(-Infinity, id, Math.min(id + 32, logits.length));
      else if (here !== 0xffffffff) for (let i = 0; i < 32 && id + i < logits.length; i++) if (((here >>> i) & 1) === 0) logits[id + i] = -Infinity;
    }
  }
}
