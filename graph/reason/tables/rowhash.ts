// Owns the hash of pairs, and filling the slots of a hash table with the rows of two columns.
// Refuses to know who looks for rows. An entry holds row + 1 in its low bits, and above them what is left of the pair's hash: few rows of other pairs are looked at.

/** Mixes two ids so that low bits depend on all bits of both (multipliers of MurmurHash3's finaliser). */
export function hash(subject: number, object: number): number {
  let h = Math.imul(subject, 0x85ebca6b) ^ Math.imul(object, 0xc2b2ae35);
  h ^= h >>> 15;
  h = Math.imul(h, 0x2c1b3c6d);
  return h ^ (h >>> 13);
}

/** Rows from which on they are sorted by where they go, so that writing stays within the processor's cache. */
const LARGE = 1 << 17;
/** Slots of one part: 64 KiB. */
const PART = 14;

/** Enters the rows in front of `count` into empty slots, as many as a power of two. `bits`: of an entry, those that hold row + 1. */
export function fillSlots(slots: Int32Array, bits: number, subjects: Int32Array, objects: Int32Array, count: number): void {
  const mask = slots.length - 1;
  const enter = (mixed: number, row: number): void => {
    let slot = mixed & mask;
    while (slots[slot] !== 0) slot = (slot + 1) & mask;
    slots[slot] = (mixed & ~bits) | (row + 1);
  };
  if (count < LARGE) {
    for (let row = 0; row < count; row++) enter(hash(subjects[row], objects[row]), row);
    return;
  }
  const ends = new Int32Array((slots.length >>> PART) + 1);
  for (let row = 0; row < count; row++) ends[((hash(subjects[row], objects[row]) & mask) >>> PART) + 1]++;
  for (let part = 1; part < ends.length; part++) ends[part] += ends[part - 1];
  const hashes = new Int32Array(count);
  const rows = new Int32Array(count);
  for (let row = 0; row < count; row++) {
    const mixed = hash(subjects[row], objects[row]);
    const at = ends[(mixed & mask) >>> PART]++;
    hashes[at] = mixed;
    rows[at] = row;
  }
  for (let i = 0; i < count; i++) enter(hashes[i], rows[i]);
}
