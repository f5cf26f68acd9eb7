// Owns the messages between the service and the process of one training run. Everything in them survives serialisation.
// Refuses to know who sends them and why.

import type { TrainingEvent } from '../spec.ts';

/** The run shall keep where it is and end. */
export type ToRun = { readonly kind: 'stop' };
export type FromRun =
  | { readonly kind: 'event'; readonly event: TrainingEvent }
  /** `code` as the failing part calls it. */
  | { readonly kind: 'failed'; readonly code: string; readonly message: string };
