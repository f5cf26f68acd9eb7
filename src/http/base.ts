// Owns which knowledge base a request speaks of, where both its address and its body may name one.
// Refuses to know what is done in it.

import { baseOf } from '../contract/common.ts';
import type { BaseName } from '../../graph/terms.ts';
import { HttpError } from './problems.ts';

/** The one that is named; undefined where none is. Throws HttpError `invalid_value` where they name different ones. */
export function namedBase(inQuery: string | undefined, inBody: string | undefined): string | undefined {
  if (inQuery !== undefined && inBody !== undefined && inQuery !== inBody)
    throw new HttpError('invalid_value', `the address says knowledge base ${JSON.stringify(inQuery)} and the body ${JSON.stringify(inBody)}; name one`, { param: 'knowledge_base' });
  return inBody ?? inQuery;
}
/** The same, or the default one. */
export const oneBase = (inQuery: string | undefined, inBody: string | undefined): BaseName => baseOf(namedBase(inQuery, inBody));
