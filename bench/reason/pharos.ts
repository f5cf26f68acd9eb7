// Owns one run of Pharos's rule engine for the benchmark, as a process of its own: files read, rules parsed, facts told, everything derived.
// Refuses to know the other engines. Prints the number of derived facts.

import { readFileSync } from 'node:fs';
import { Database } from '../../graph/reason/tables/database.ts';
import type { Slot } from '../../graph/reason/tables/database.ts';
import { Evaluator, runNow } from '../../graph/reason/evaluate/evaluate.ts';
import { parseRules } from '../../graph/reason/language/parse.ts';
import { Program } from '../../graph/reason/evaluate/program.ts';
import { hashed, Symbols } from '../../graph/reason/language/symbols.ts';
import { STORED } from '../../graph/reason/tables/table.ts';
import type { EntityId, RelationName } from '../../graph/terms.ts';
import { measureRounds } from './peers/rounds.ts';

const TAB = 9;
const NEWLINE = 10;

/** Facts of a text, one a line: subject, relation and object between tabs. */
class FactReader {
  readonly #database: Database;
  readonly #symbols: Symbols;
  /** By symbol: the id of the entity, and the relation's slot. */
  readonly #ids: (number | undefined)[] = [];
  readonly #slots: (Slot | undefined)[] = [];
  #at = 0;

  constructor(database: Database, text: string) {
    this.#database = database;
    this.#symbols = new Symbols(text);
  }
  tellAll(): void {
    const { length } = this.#symbols.units;
    while (this.#at < length)
      if (this.#symbols.units[this.#at] === NEWLINE) this.#at++;
      else this.#tell();
  }
  /** One line. Functions that are called often are compiled sooner than long loops. */
  #tell(): void {
    const [subject, relation, object] = [this.#part(), this.#part(), this.#part()];
    const slot = (this.#slots[relation] ??= this.#database.slotOf(this.#symbols.string(relation) as RelationName, false));
    slot.table.add(this.#entity(subject), this.#entity(object), STORED, 0, 1);
  }
  /** Symbol of what stands up to the next tab or the end of the line. */
  #part(): number {
    const { units } = this.#symbols;
    const start = this.#at;
    let [end, hash] = [start, 0];
    for (; end < units.length && units[end] !== TAB && units[end] !== NEWLINE; end++) hash = hashed(hash, units[end]);
    this.#at = end + 1;
    return this.#symbols.of(start, end, hash);
  }
  #entity(symbol: number): number {
    return (this.#ids[symbol] ??= this.#database.terms.internEntity(this.#symbols.string(symbol) as EntityId));
  }
}

const [, , rulesFile, factsFile, rounds] = process.argv;
const most = Number.MAX_SAFE_INTEGER;
/** From the files to the last derived fact; gives the number of derived facts. */
function round(): number {
  const rules = parseRules(readFileSync(rulesFile, 'utf8'), { characters: most, rules: most });
  const database = new Database();
  new FactReader(database, readFileSync(factsFile, 'utf8')).tellAll();
  runNow(new Evaluator(new Program(rules, database), { answers: most, facts: most, ms: most, depth: most }).derive());
  return database.derived;
}
measureRounds(Number(rounds), round);
