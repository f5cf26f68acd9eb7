// Owns the reverse index of one knowledge base's cached answers: from what a write touches to the answers made from it.
// Refuses to know what an answer is, how long it is kept and what was read again.

import { termKey } from '../../../graph/terms.ts';
import type { Triple, TriplePattern } from '../../../graph/terms.ts';
import type { ChangeEvent, Dependencies } from './dependencies.ts';

/** Bytes that one row of the index costs beside its text: map slot, set, and pointer (measured on V8, 64 bit, rounded up). */
export const ROW_BYTES = 160;

/** A pattern's group (the position that a write is looked up by first) and its row inside the group. */
function place({ subject, relation, object, negated }: TriplePattern): readonly [group: string, row: string] {
  const sign = negated ? '-' : '+';
  const other = object === undefined ? '' : termKey(object);
  if (subject !== undefined) return [`s${subject}`, `${sign}${relation ?? '\u0002'}\u0000${other}`];
  if (object !== undefined) return [`o${other}`, `${sign}${relation ?? '\u0002'}`];
  return [relation === undefined ? '' : `r${relation}`, sign];
}

/** Whether the pattern takes in the triple. A pattern without `negated` means positive triples only. */
export function covers(pattern: TriplePattern, triple: Triple): boolean {
  return (
    (pattern.negated ?? false) === (triple.negated ?? false) &&
    (pattern.subject === undefined || pattern.subject === triple.subject) &&
    (pattern.relation === undefined || pattern.relation === triple.relation) &&
    (pattern.object === undefined || termKey(pattern.object) === termKey(triple.object))
  );
}

/** Whether the event touches something that the dependencies name outright. Linear; for few answers against few events. */
export function touches({ patterns, rules, entities }: Dependencies, event: ChangeEvent): boolean {
  return (
    event.rulesChanged.some((id) => rules.includes(id)) ||
    event.entitiesChanged.some((id) => entities.includes(id)) ||
    [event.added, event.removed].some((triples) => triples.some((triple) => patterns.some((pattern) => covers(pattern, triple))))
  );
}

/** Bytes that the rows of these dependencies take in the index, estimated. */
export function indexBytes({ patterns, rules, entities, doubts }: Dependencies): number {
  let bytes = 0;
  for (const pattern of patterns) bytes += ROW_BYTES + 2 * ((pattern.subject?.length ?? 1) + (pattern.relation?.length ?? 1) + (pattern.object ? termKey(pattern.object).length : 0));
  for (const text of [...rules, ...entities]) bytes += ROW_BYTES + 2 * text.length;
  for (const { read, digest, near } of doubts) {
    bytes += ROW_BYTES + 2 * (JSON.stringify(read).length + digest.length);
    for (const key of near ?? []) bytes += 48 + 2 * key.length;
  }
  return bytes;
}

/** Holders are found by identity. Adding and removing cost their own dependencies; a lookup costs a few probes for each changed triple. */
export class DependencyIndex<H> {
  readonly #groups = new Map<string, Map<string, Set<H>>>();
  readonly #rules = new Map<string, Set<H>>();
  readonly #entities = new Map<string, Set<H>>();

  /** Rows that hold somebody. */
  get rows(): number {
    let rows = this.#rules.size + this.#entities.size;
    for (const group of this.#groups.values()) rows += group.size;
    return rows;
  }

  add(holder: H, { patterns, rules, entities }: Dependencies): void {
    for (const pattern of patterns) {
      const [key, row] = place(pattern);
      let group = this.#groups.get(key);
      if (!group) this.#groups.set(key, (group = new Map()));
      enter(group, row, holder);
    }
    for (const id of rules) enter(this.#rules, id, holder);
    for (const id of entities) enter(this.#entities, id, holder);
  }

  remove(holder: H, { patterns, rules, entities }: Dependencies): void {
    for (const pattern of patterns) {
      const [key, row] = place(pattern);
      const group = this.#groups.get(key);
      if (!group) continue;
      leave(group, row, holder);
      if (group.size === 0) this.#groups.delete(key);
    }
    for (const id of rules) leave(this.#rules, id, holder);
    for (const id of entities) leave(this.#entities, id, holder);
  }

  /** The holders that the event touches, each once. */
  touched(event: ChangeEvent): Set<H> {
    const found = new Set<H>();
    const collect = (holders: ReadonlySet<H> | undefined): void => {
      for (const holder of holders ?? []) found.add(holder);
    };
    for (const id of event.rulesChanged) collect(this.#rules.get(id));
    for (const id of event.entitiesChanged) collect(this.#entities.get(id));
    if (this.#groups.size === 0) return found;
    for (const triples of [event.added, event.removed])
      for (const triple of triples) {
        const { subject, relation, object, negated } = triple;
        const sign = negated ? '-' : '+';
        const other = termKey(object);
        const bySubject = this.#groups.get(`s${subject}`);
        if (bySubject) for (const middle of [relation, '\u0002']) for (const end of [other, '']) collect(bySubject.get(`${sign}${middle}\u0000${end}`));
        const byObject = this.#groups.get(`o${other}`);
        if (byObject) for (const middle of [relation, '\u0002']) collect(byObject.get(`${sign}${middle}`));
        collect(this.#groups.get(`r${relation}`)?.get(sign));
        collect(this.#groups.get('')?.get(sign));
      }
    return found;
  }
}

function enter<H>(rows: Map<string, Set<H>>, key: string, holder: H): void {
  const row = rows.get(key);
  if (row) row.add(holder);
  else rows.set(key, new Set([holder]));
}
function leave<H>(rows: Map<string, Set<H>>, key: string, holder: H): void {
  const row = rows.get(key);
  if (row?.delete(holder) && row.size === 0) rows.delete(key);
}
