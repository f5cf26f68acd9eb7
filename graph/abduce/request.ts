// Owns reading a request for explanations: text and shapes in, a question that can be searched out, every mistake said.
// Refuses to know bases and searching.

import { inField } from '../reason/errors.ts';
import { parseGoal } from '../reason/language/parse.ts';
import type { Atom } from '../reason/types.ts';
import { KnowledgeError } from '../knowledge/common/types.ts';
import type { AbduceQuestion } from './scope.ts';
import { readAssumables } from './assumable.ts';
import type { AbduceRequest } from './types.ts';

/** Observations explained together at most: they are the conditions of one rule. */
const OBSERVATIONS = 64;

/** Throws KnowledgeError `invalid_request`, RuleError and TermError. */
export function readQuestion({ observations, assumable, values, minimal = 'subset', budget }: AbduceRequest): AbduceQuestion {
  if (observations.length === 0 || observations.length > OBSERVATIONS)
    throw new KnowledgeError('invalid_request', `there are ${observations.length} observations; give 1 to ${OBSERVATIONS}`);
  for (const key of ['explanations', 'size', 'nodes', 'ms', 'facts', 'depth'] as const)
    if (!(budget[key] > 0)) throw new KnowledgeError('invalid_request', `the limit ${key} is ${budget[key]}; give a number above 0`);
  return {
    observations: observations.map((observation, i) => {
      const field = observations.length === 1 ? 'observation' : `observation[${i}]`;
      return checked(typeof observation === 'string' ? inField(field, () => parseGoal(observation)) : observation, field);
    }),
    assumable: assumable && readAssumables(assumable),
    values,
    minimal,
    budget,
  };
}
function checked(atom: Atom, field: string): Atom {
  const wrong = (message: string): KnowledgeError => new KnowledgeError('invalid_request', message, { field });
  if (atom.absent) throw wrong('an observation cannot be "not p(..)"; what is known to be false is written -p(..)');
  if (atom.subject.kind === 'literal') throw wrong('the subject of an observation is a variable or an entity, never a literal');
  return atom;
}
