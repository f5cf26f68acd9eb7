// Owns writing weights into a file beside a model, one after the other, on borders of pages.
// Refuses to know what they are.

import { closeSync, fsyncSync, openSync, writeSync } from 'node:fs';
import { basename } from 'node:path';
import { WEIGHT_ALIGNMENT } from '../onnx.ts';
import type { WeightSink } from '../onnx.ts';

/** Bytes that are written at once: Linux takes no more than 2 GiB. */
const MOST = 2 ** 30;

export class ExternalData implements WeightSink {
  readonly location: string;
  readonly #descriptor: number;
  #length = 0;

  constructor(path: string) {
    this.location = basename(path);
    this.#descriptor = openSync(path, 'wx');
  }
  write(raw: Uint8Array): number {
    const offset = Math.ceil(this.#length / WEIGHT_ALIGNMENT) * WEIGHT_ALIGNMENT;
    for (let done = 0; done < raw.length; ) done += writeSync(this.#descriptor, raw, done, Math.min(MOST, raw.length - done), offset + done);
    this.#length = offset + raw.length;
    return offset;
  }
  /** What was written is on the disk afterwards. */
  close(): void {
    fsyncSync(this.#descriptor);
    closeSync(this.#descriptor);
  }
}
