// Owns bringing one file of the hub into the cache: going on where it stopped, its checksum, its place among blobs and snapshots.
// Refuses to know which files a model needs.

import { createHash } from 'node:crypto';
import type { Hash } from 'node:crypto';
import { constants, createReadStream } from 'node:fs';
import { copyFile, link, lstat, mkdir, open, readdir, realpath, rename, rm, stat, symlink } from 'node:fs/promises';
import type { FileHandle } from 'node:fs/promises';
import { dirname, join, relative } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { downloadFile, HubApiError } from '@huggingface/hub';
import { EngineError } from '../port.ts';
import type { HubSettings } from './settings.ts';

export interface HubFile {
  readonly path: string;
  readonly size: number;
  /** SHA-256 of a file in large-file storage; of others the id of the Git blob. */
  readonly digest: string;
  readonly large: boolean;
}
export interface Fetching {
  readonly settings: HubSettings;
  readonly repository: string;
  /** Of 40 digits. */
  readonly commit: string;
  /** Folder of the repository in the cache. */
  readonly storage: string;
  readonly log: (message: string) => void;
}

const ATTEMPTS = 6;
/** A file that comes twice with the same mistake has it at the hub. */
const CHECKSUM_ATTEMPTS = 2;
const FIRST_PAUSE_MS = 200;
/** A connection that brings nothing for so long is given up, where HF_HUB_DOWNLOAD_TIMEOUT says nothing. */
const STALL_MS = 60_000;
const PROGRESS_MS = 5_000;
const MIB = 2 ** 20;

class ChecksumError extends Error {}

const sizeOf = async (path: string): Promise<number | undefined> => (await stat(path).catch(() => undefined))?.size;
const sized = (bytes: number): string => (bytes < MIB ? `${Math.ceil(bytes / 1024)} KiB` : `${(bytes / MIB).toFixed(bytes < 100 * MIB ? 1 : 0)} MiB`);

const pointerOf = ({ path }: HubFile, { storage, commit }: Fetching): string => join(storage, 'snapshots', commit, path);
const blobOf = ({ digest }: HubFile, { storage }: Fetching): string => join(storage, 'blobs', digest);
/** Is it in the cache, whole? */
export const isHeld = async (file: HubFile, fetching: Fetching): Promise<boolean> => (await sizeOf(pointerOf(file, fetching))) === file.size || (await sizeOf(blobOf(file, fetching))) === file.size;

/** The file in the snapshot of its commit, fetched if it is not there. Throws EngineError `model_invalid`. */
export async function fetchFile(file: HubFile, fetching: Fetching): Promise<string> {
  const pointer = pointerOf(file, fetching);
  if ((await sizeOf(pointer)) === file.size) return pointer;
  const blob = blobOf(file, fetching);
  await mkdir(dirname(blob), { recursive: true });
  await mkdir(dirname(pointer), { recursive: true });
  if ((await sizeOf(blob)) !== file.size) await download(file, blob, fetching);
  await rm(pointer, { force: true });
  // Where there are no links, the file itself lies there, as other tools do it.
  await symlink(relative(dirname(pointer), blob), pointer).catch(() => copyFile(blob, pointer));
  return pointer;
}

/**
 * ONNX Runtime reads no weights beside a graph that are a link out of its folder, as those of a snapshot are: where there are such, they and the graph become further names of the same files.
 * Other tools take that for what they themselves do where there are no links.
 */
export async function linkWeights(snapshot: string): Promise<void> {
  for (const folder of [snapshot, join(snapshot, 'onnx')]) {
    const names = (await readdir(folder).catch(() => [])).filter((name) => /\.onnx([._]data(_\d+)?)?$/.test(name));
    if (!names.some((name) => !name.endsWith('.onnx'))) continue;
    for (const path of names.map((name) => join(folder, name))) {
      if (!(await lstat(path)).isSymbolicLink()) continue;
      const other = `${path}.${process.pid}.link`;
      // Another disk: then the link stays, and loading says what is wrong.
      await link(await realpath(path), other).then(() => rename(other, path)).catch(() => undefined);
    }
  }
}

async function download(file: HubFile, blob: string, fetching: Fetching): Promise<void> {
  const { repository, settings, log } = fetching;
  const what = `${repository}: ${file.path}`;
  for (let attempt = 1; ; attempt++) {
    try {
      // Another process may have brought it in the meantime.
      if ((await sizeOf(blob)) !== file.size) await goOn(file, blob, fetching);
      break;
    } catch (error) {
      const reason = reasonOf(error);
      const most = error instanceof ChecksumError ? CHECKSUM_ATTEMPTS : ATTEMPTS;
      // What the hub refuses it refuses the next time, too.
      const final = error instanceof HubApiError && error.statusCode < 500 && error.statusCode !== 408 && error.statusCode !== 429 && error.statusCode !== 416;
      if (final || attempt >= most) throw new EngineError('model_invalid', `${what} cannot be fetched from ${settings.endpoint}: ${reason}`, { cause: error });
      log(`${what}: ${reason}; trying again (${attempt} of ${most - 1})`);
      await wait(FIRST_PAUSE_MS * 2 ** (attempt - 1));
    }
  }
  log(`${what}: ${sized(file.size)}, complete`);
}

/**
 * Fetches what is missing of a file. What was fetched stays when it breaks off; a file of another checksum is thrown away. Several processes may be at it: bytes are written to their own
 * places, so that two that fetch the same write the same, and none cuts short what another one has.
 */
async function goOn(file: HubFile, blob: string, fetching: Fetching): Promise<void> {
  const incomplete = `${blob}.incomplete`;
  const handle = await open(incomplete, constants.O_RDWR | constants.O_CREAT, 0o666);
  try {
    const held = (await handle.stat()).size;
    const begun = held <= file.size;
    if (!begun) await discard(handle, incomplete);
    const digest = begun && (await fetchRest(file, handle, incomplete, held, fetching));
    if (digest !== file.digest) {
      await discard(handle, incomplete);
      throw digest === false ? new Error(`${incomplete} had more than the ${file.size} bytes that the hub states`) : new ChecksumError(`its checksum is ${digest}, and the hub states ${file.digest}`);
    }
    await handle.sync();
    if (await isAt(handle, incomplete)) await rename(incomplete, blob);
    else if ((await sizeOf(blob)) !== file.size) throw new Error('another process took the file away');
  } finally {
    await handle.close();
  }
}
/** Is the open file the one of that name? */
async function isAt(handle: FileHandle, path: string): Promise<boolean> {
  const [open, named] = [await handle.stat({ bigint: true }), await stat(path, { bigint: true }).catch(() => undefined)];
  return open.ino === named?.ino && open.dev === named.dev;
}
const discard = async (handle: FileHandle, path: string): Promise<void> => {
  if (await isAt(handle, path)) await rm(path, { force: true });
};

/** Fetches behind the first `held` bytes. Returns the digest of the whole. */
async function fetchRest(file: HubFile, handle: FileHandle, incomplete: string, held: number, { settings, repository, commit, log }: Fetching): Promise<string> {
  const { endpoint, token, stallMs = STALL_MS } = settings;
  const hash = file.large ? createHash('sha256') : createHash('sha1').update(`blob ${file.size}\0`);
  if (held > 0) await hashFile(incomplete, held, hash);
  log(`${repository}: ${file.path}, ${sized(file.size)}${held > 0 ? `, going on at ${sized(held)}` : ''}`);
  let have = held;
  if (have === file.size) return hash.digest('hex');
  const over = new AbortController();
  const connect: typeof fetch = async (input, init) => fetch(input, { ...init, signal: over.signal });
  try {
    const source = await inTime(downloadFile({ repo: repository, path: file.path, revision: commit, hubUrl: endpoint, fetch: connect, ...(token === undefined ? {} : { accessToken: token }) }), stallMs);
    if (!source) throw new Error('the hub has no such file');
    let told = performance.now();
    const reader = (have > 0 ? source.slice(have, file.size) : source).stream().getReader();
    for (;;) {
      const { done, value } = await inTime(reader.read(), stallMs);
      if (done) break;
      if (have + value.length > file.size) {
        // It did not go on where it was asked to.
        await discard(handle, incomplete);
        throw new Error(`the hub sent more than the ${file.size} bytes that it states`);
      }
      hash.update(value);
      await writeWhole(handle, value, have);
      have += value.length;
      if (performance.now() - told < PROGRESS_MS) continue;
      told = performance.now();
      log(`${repository}: ${file.path}, ${sized(have)} of ${sized(file.size)} (${Math.floor((100 * have) / file.size)} %)`);
    }
  } finally {
    over.abort(new Error('it is not waited for any more'));
  }
  if (have < file.size) throw new Error(`the connection ended after ${have} of ${file.size} bytes`);
  return hash.digest('hex');
}
async function writeWhole(handle: FileHandle, bytes: Uint8Array, at: number): Promise<void> {
  for (let from = 0; from < bytes.length; ) from += (await handle.write(bytes, from, bytes.length - from, at + from)).bytesWritten;
}
async function hashFile(path: string, length: number, hash: Hash): Promise<void> {
  for await (const part of createReadStream(path, { end: length - 1 })) hash.update(part as Buffer);
}
async function inTime<T>(work: Promise<T>, ms: number): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`nothing came for ${ms / 1000} s`)), ms);
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}

/** What went wrong, with what is behind fetch's "fetch failed". */
export function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const { cause } = error;
  const code = cause instanceof Error && 'code' in cause ? String(cause.code) : undefined;
  return error.message === 'fetch failed' || error.message === 'terminated' ? (code ?? (cause instanceof Error ? cause.message : error.message)) : error.message;
}
