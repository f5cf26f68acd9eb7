// Owns refusing a request that asks for more than the service is configured to give.
// Refuses to know which limits there are.

import { HttpError } from './problems.ts';

/** Throws HttpError `invalid_value` for the first limit in `given` that is above the one of the same name in `most`. */
export function withinLimits(given: Readonly<Record<string, number | undefined>> | undefined, most: Readonly<Record<string, number>>): void {
  for (const [name, value] of Object.entries(given ?? {}))
    if (value !== undefined && Object.hasOwn(most, name) && value > most[name])
      throw new HttpError('invalid_value', `limits.${name}: is ${value}; this service allows ${most[name]} at most`, { param: `limits.${name}` });
}
