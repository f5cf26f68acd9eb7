// Owns checkpoint files: a JSON header and float arrays, written whole or not at all, refused when they are damaged.
// Refuses to know what the arrays mean.

import { closeSync, existsSync, fsyncSync, openSync, readSync, renameSync, rmSync, fstatSync, writeSync } from 'node:fs';
import { dirname } from 'node:path';
import { crc32 } from 'node:zlib';

import { RunError } from './errors.ts';

/** The system takes and gives less than 2 GiB in one call. */
const PIECE = 2 ** 28;
/** The bytes of an array, in pieces. */
function* bytesOf({ buffer, byteOffset, byteLength }: Float32Array): Iterable<Uint8Array> {
  for (let at = 0; at < byteLength; at += PIECE) yield new Uint8Array(buffer, byteOffset + at, Math.min(PIECE, byteLength - at));
}
const MOST_HEADER_BYTES = 2 ** 24;

/**
 * Writes header and arrays beside `file`, waits until they are on the disk, and puts them in its place in one rename: an interruption at any moment leaves the checkpoint before, and a failure nothing beside it.
 * Layout: length of the header (uint32, little-endian), header (JSON in UTF-8), the arrays, CRC-32 of all before (uint32).
 */
export function writeCheckpoint(file: string, header: object, arrays: readonly Float32Array[]): void {
  const text = Buffer.from(JSON.stringify(header));
  if (text.length > MOST_HEADER_BYTES)
    throw new RangeError(`the header of checkpoint ${file} has ${text.length} bytes; at most ${MOST_HEADER_BYTES} are taken`);
  const descriptor = openSync(`${file}.part`, 'w');
  try {
    let sum = 0;
    const append = (bytes: Uint8Array): void => {
      sum = crc32(bytes, sum);
      for (let at = 0; at < bytes.length;) at += writeSync(descriptor, bytes, at);
    };
    append(uint32(text.length));
    append(text);
    for (const array of arrays) for (const bytes of bytesOf(array)) append(bytes);
    append(uint32(sum));
    fsyncSync(descriptor);
  } catch (error) {
    rmSync(`${file}.part`, { force: true });
    throw error;
  } finally {
    closeSync(descriptor);
  }
  renameSync(`${file}.part`, file);
  syncFolder(dirname(file));
}

/**
 * Reads a checkpoint into `arrays`, which `prepare` gives for its header (it throws when the header is of something else). Undefined when there is no file.
 * Throws RunError `damaged_checkpoint` when it is cut short, too long or has changed; the arrays may be half filled then, so they must not be used.
 */
export function readCheckpoint<Header>(file: string, prepare: (header: Header) => readonly Float32Array[]): Header | undefined {
  if (!existsSync(file)) return undefined;
  const descriptor = openSync(file, 'r');
  try {
    const { size } = fstatSync(descriptor);
    const damaged = (what: string): RunError => new RunError('damaged_checkpoint', `checkpoint ${file} ${what}; remove it or put back a whole one`);
    let sum = 0;
    const fill = (bytes: Uint8Array): void => {
      for (let at = 0; at < bytes.length;) {
        const count = readSync(descriptor, bytes, at, bytes.length - at, null);
        if (count === 0) throw damaged('is cut short');
        at += count;
      }
    };
    const take = (bytes: Uint8Array): Buffer => {
      fill(bytes);
      sum = crc32(bytes, sum);
      return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
    };
    const headerLength = take(new Uint8Array(4)).readUInt32LE();
    if (headerLength > MOST_HEADER_BYTES) throw damaged('does not begin as a checkpoint does');
    const header = parsed(take(new Uint8Array(headerLength)).toString('utf8'), () => damaged('does not begin as a checkpoint does')) as Header;
    const arrays = prepare(header);
    const whole = 8 + headerLength + arrays.reduce((bytes, { byteLength }) => bytes + byteLength, 0);
    if (size !== whole) throw damaged(`${size < whole ? 'is cut short' : 'is too long'}: it has ${size} bytes instead of ${whole}`);
    for (const array of arrays) for (const bytes of bytesOf(array)) take(bytes);
    const expected = new Uint8Array(4);
    fill(expected);
    if (Buffer.from(expected).readUInt32LE() !== sum) throw damaged('is damaged (its checksum is wrong)');
    return header;
  } finally {
    closeSync(descriptor);
  }
}

function uint32(value: number): Uint8Array {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(value);
  return bytes;
}
function parsed(text: string, failure: () => Error): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw failure();
  }
}
/** Makes a rename in it last through a loss of power. Some systems do not let folders be synchronised; there the file system's own order has to do. */
function syncFolder(folder: string): void {
  try {
    const descriptor = openSync(folder, 'r');
    fsyncSync(descriptor);
    closeSync(descriptor);
  } catch {
    // See above.
  }
}
