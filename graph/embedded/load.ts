// Owns reading a whole store file into memory.
// Refuses to write, and to take what does not fit together.

import type { BaseName, Entity, Relation, RelationName, Term } from '../terms.ts';
import { Base, inconsistent, rowOf } from './base.ts';
import type { SqlRow, StatementName, StoreFile } from './file.ts';

export interface Loaded {
  readonly bases: Map<BaseName, Base>;
  /** The largest number that a fact ever had. */
  readonly lastNumber: number;
}

function termOf(type: string, value: unknown): Term {
  switch (type) {
    case 'entity':
      return { kind: 'entity', id: value as Extract<Term, { kind: 'entity' }>['id'] };
    case 'string':
    case 'date':
      return { kind: 'literal', type, value: value as string };
    case 'number':
      return { kind: 'literal', type, value: value as number };
    case 'boolean':
      return { kind: 'literal', type, value: value === 1 };
    default:
      throw inconsistent(`a term has the unknown type ${JSON.stringify(type)}`);
  }
}
const parsed = (document: string, what: string): unknown => {
  try {
    return JSON.parse(document);
  } catch {
    throw inconsistent(`${what} is no JSON`);
  }
};

/** Reads every live fact and every name; throws StoreError `corrupt` when the file cannot be read to its end. */
export function load(file: StoreFile): Loaded {
  const bases = new Map<number, Base>();
  for (const [id, name, version, written] of file.rows('bases'))
    bases.set(id as number, new Base(id as number, name as BaseName, version as number, written as number));
  const each = (table: StatementName, read: (base: Base, row: SqlRow) => void): void => {
    let last: Base | undefined;
    for (const row of file.rows(table)) {
      if (last?.id !== row[0]) last = bases.get(row[0] as number);
      if (!last) throw inconsistent(`a row of ${table} belongs to the unknown base ${String(row[0])}`);
      read(last, row);
    }
  };
  const inOrder = (count: number, id: unknown, what: string): void => {
    if (id !== count) throw inconsistent(`${what} ${count} is missing`);
  };
  each('terms', ({ terms }, [, id, type, value]) => {
    inOrder(terms.count, id, 'term');
    terms.add(termOf(type as string, value));
  });
  each('texts', ({ texts }, [, id, value]) => {
    inOrder(texts.count, id, 'text');
    texts.add(value as string);
  });
  each('relations', ({ relations, declared }, [, id, name, declaration]) => {
    inOrder(relations.count, id, 'relation');
    const number = relations.add(name as RelationName);
    if (declaration !== null) declared.set(number, parsed(declaration as string, `the declaration of relation ${number}`) as Relation);
  });
  each('entities', ({ terms, described, facts }, [, term, document]) => {
    if (!((term as number) < terms.count)) throw inconsistent(`term ${String(term)} is described, but missing`);
    described.set(term as number, parsed(document as string, `the description of term ${String(term)}`) as Entity);
    facts.describe(term as number);
  });
  each('rules', ({ rules }, [, id, document]) => void rules.set(id as string, document as string));
  let lastNumber = 0;
  each('facts', ({ facts, terms, relations }, row) => {
    const fact = rowOf(row);
    if (!(fact.subject < terms.count && fact.object < terms.count && fact.key >> 1 < relations.count))
      throw inconsistent(`fact ${fact.number} names what is missing`);
    facts.add(fact);
    lastNumber = Math.max(lastNumber, fact.number);
  });
  for (const base of bases.values()) {
    for (const [last] of file.rows('lastPast', base.id)) lastNumber = Math.max(lastNumber, (last as number | null) ?? 0);
    for (let term = 0; term < base.terms.count; term++) if (base.facts.isKnown(term) && base.terms.isEntity(term)) base.nameEntity(term);
  }
  return { bases: new Map([...bases.values()].map((base) => [base.name, base])), lastNumber };
}
