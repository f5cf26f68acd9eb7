// Owns naming the field by which a form of the text was asked for, where the engine refuses the form.
// Refuses to know forms and which fields there are.

import { EngineError } from '../engine/port.ts';
import { ErrorWith } from './problems.ts';

/** For `catch`: throws the error on, with the field where it is the form that is refused. */
export const refusedIn =
  (param: string | undefined) =>
  (error: unknown): never => {
    throw error instanceof EngineError && error.code === 'constraint_invalid' && param !== undefined ? new ErrorWith(error, { param }) : error;
  };
