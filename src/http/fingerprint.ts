// Owns the fingerprint of what answers: the same as long as the model and the version of Pharos are.
// Refuses to know what is asked.

import { hash } from 'node:crypto';
import type { ModelInfo } from '../engine/port.ts';
import { PACKAGE } from '../plugins/docs.ts';

/** Of a model elsewhere, the time is when its server began. */
export const fingerprintOf = ({ id, bytes, parameters, device, created }: ModelInfo): string =>
  `fp_${hash('sha256', JSON.stringify([PACKAGE.version, id, bytes, parameters, device === 'upstream' ? undefined : created])).slice(0, 10)}`;
