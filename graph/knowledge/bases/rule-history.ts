// Owns the rules of a base in its earlier versions: which versions there are, what was ruled in one, and what has to change to have it again.
// Refuses to know how the store keeps them.

import type { Change, RuleHistory } from '../../store.ts';
import type { RuleSetName } from '../../reason/rulesets/rulesets.ts';
import type { Rule } from '../../reason/types.ts';
import { isOwnRule, readRule, setOf } from './rule-documents.ts';
import { POLICIES } from './policies.ts';
import { KnowledgeError } from '../common/types.ts';

/** A version of the base in which rules came or went. */
export interface RuleVersion {
  readonly version: number;
  /** When it was written, ISO 8601; absent of the earliest that is known, when earlier ones are forgotten. */
  readonly at?: string;
  readonly added: number;
  readonly removed: number;
  /** Rules that there were then. */
  readonly rules: number;
  readonly ruleSets: readonly RuleSetName[];
}
interface Ruled {
  readonly rules: readonly Rule[];
  readonly ruleSets: readonly RuleSetName[];
}

const documents = ({ rules }: RuleHistory): Map<string, string> => new Map(rules.flatMap(({ id, document }) => (id === POLICIES ? [] : [[id, document]])));
const setsOf = (ids: Iterable<string>): RuleSetName[] => [...ids].flatMap((id) => setOf(id) ?? []);

/** Versions in which rules or rule sets changed, latest first, and the earliest that is known. Takes time as there are changes, however many rules there are. */
export function ruleVersions(history: RuleHistory): RuleVersion[] {
  const current = new Set(documents(history).keys());
  const sets = new Set(setsOf(current));
  let rules = 0;
  for (const id of current) if (isOwnRule(id)) rules++;
  const versions: RuleVersion[] = [];
  const changes = history.changes.filter(({ id }) => id !== POLICIES);
  for (let i = 0; i < changes.length;) {
    const { version, at } = changes[i];
    const then = { version, at, rules, ruleSets: [...sets] };
    let [added, removed] = [0, 0];
    for (; i < changes.length && changes[i].version === version; i++) {
      const { id, before } = changes[i];
      const [came, went] = [before === undefined, !current.has(id)];
      if (came) current.delete(id);
      else current.add(id);
      const set = setOf(id);
      if (set && came) sets.delete(set);
      else if (set) sets.add(set);
      if (!isOwnRule(id)) continue;
      if (came) added++;
      if (went) removed++;
      rules += Number(went) - Number(came);
    }
    versions.push({ ...then, added, removed });
  }
  if (history.from > 0) versions.push({ version: history.from, added: 0, removed: 0, rules, ruleSets: [...sets] });
  return versions;
}

/** Documents of the version, without those of conflict policies. KnowledgeError `unknown_version`. */
function documentsAt(history: RuleHistory, version: number): Map<string, string> {
  if (version < history.from || version > history.version)
    throw new KnowledgeError(
      'unknown_version',
      `the rules of version ${version} are not known; ${history.from === history.version ? `those of version ${history.version} are` : `those of versions ${history.from} to ${history.version} are`}`,
      { field: 'version' },
    );
  const found = documents(history);
  for (const { version: made, id, before } of history.changes) {
    if (made <= version) break;
    if (before === undefined) found.delete(id);
    else if (id !== POLICIES) found.set(id, before);
  }
  return found;
}
/** What the base was ruled by in that version. */
export function rulesAt(history: RuleHistory, version: number): Ruled {
  const found = documentsAt(history, version);
  return { rules: [...found].flatMap(([id, document]) => (isOwnRule(id) ? [readRule(id, document)] : [])), ruleSets: setsOf(found.keys()) };
}
/** What has to be written so that the rules and rule sets are those of that version again. */
export function restoration(history: RuleHistory, version: number): { readonly changes: readonly Change[]; readonly added: readonly Rule[]; readonly removed: readonly Rule[] } {
  const [wanted, current] = [documentsAt(history, version), documents(history)];
  const come = [...wanted].filter(([id]) => !current.has(id));
  const gone = [...current].filter(([id]) => !wanted.has(id));
  const rules = (list: readonly (readonly [string, string])[]): Rule[] => list.flatMap(([id, document]) => (isOwnRule(id) ? [readRule(id, document)] : []));
  return {
    changes: [...gone.map(([id]): Change => ({ kind: 'rule', id })), ...come.map(([id, document]): Change => ({ kind: 'rule', id, document }))],
    added: rules(come),
    removed: rules(gone),
  };
}
