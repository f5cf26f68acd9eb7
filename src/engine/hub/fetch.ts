// Owns bringing one file of the hub into the cache: going on where it stopped, its checksum, its place among blobs and snapshots.
// Refuses to know which files a model needs.

import { createHash } from 'node:crypto';
import type { Hash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { copyFile, link, lstat, mkdir, open, readdir, realpath, rename, rm, stat, symlink } from 'node:fs/promises';
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
/** A connection that brings nothing for so long is given up. */
const STALL_MS = 60_000;
const PROGRESS_MS = 5_000;
const MIB = 2 ** 20;

class ChecksumError extends Error {}

const sizeOf = async (path: string): Promise<number | undefined> => (await stat(path).catch(() => undefined))?.size;
const sized = (bytes: number): string => (bytes < MIB ? `${Math.ceil(bytes / 1024)} KiB` : `${(bytes / MIB).toFixed(bytes < 100 * MIB ? 1 : 0)} MiB`);

/** The file in the snapshot of its commit, fetched if it is not there. Throws EngineError `model_invalid`. */
export async function fetchFile(file: HubFile, fetching: Fetching): Promise<string> {
  const pointer = join(fetching.storage, 'snapshots', fetching.commit, file.path);
  if ((await sizeOf(pointer)) === file.size) return pointer;
  const blob = join(fetching.storage, 'blobs', file.digest);
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
  const incomplete = `${blob}.incomplete`;
  for (let attempt = 1; ; attempt++) {
    try {
      await goOn(file, incomplete, fetching);
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
  await rename(incomplete, blob);
  log(`${what}: ${sized(file.size)}, complete`);
}

/** Fetches what is missing of a file. What was fetched stays when it breaks off; a file of another checksum is thrown away. */
async function goOn(file: HubFile, incomplete: string, { settings, repository, commit, log }: Fetching): Promise<void> {
  let have = (await sizeOf(incomplete)) ?? 0;
  if (have > file.size) {
    await rm(incomplete);
    have = 0;
  }
  const hash = file.large ? createHash('sha256') : createHash('sha1').update(`blob ${file.size}\0`);
  if (have > 0) await hashFile(incomplete, hash);
  log(`${repository}: ${file.path}, ${sized(file.size)}${have > 0 ? `, going on at ${sized(have)}` : ''}`);
  const handle = await open(incomplete, 'a');
  try {
    if (have < file.size) {
      const source = await downloadFile({ repo: repository, path: file.path, revision: commit, hubUrl: settings.endpoint, ...(settings.token === undefined ? {} : { accessToken: settings.token }) });
      if (!source) throw new Error('the hub has no such file');
      let told = performance.now();
      const reader = (have > 0 ? source.slice(have, file.size) : source).stream().getReader();
      try {
        for (;;) {
          const { done, value } = await inTime(reader.read());
          if (done) break;
          have += value.length;
          if (have > file.size) {
            await handle.truncate(0);
            throw new Error(`the hub sent more than the ${file.size} bytes that it states`);
          }
          hash.update(value);
          await handle.appendFile(value);
          if (performance.now() - told < PROGRESS_MS) continue;
          told = performance.now();
          log(`${repository}: ${file.path}, ${sized(have)} of ${sized(file.size)} (${Math.floor((100 * have) / file.size)} %)`);
        }
      } finally {
        await reader.cancel().catch(() => undefined);
      }
      if (have < file.size) throw new Error(`the connection ended after ${have} of ${file.size} bytes`);
    }
    const digest = hash.digest('hex');
    if (digest !== file.digest) {
      await handle.truncate(0);
      throw new ChecksumError(`its checksum is ${digest}, and the hub states ${file.digest}`);
    }
    await handle.sync();
  } finally {
    await handle.close();
  }
}
async function hashFile(path: string, hash: Hash): Promise<void> {
  for await (const part of createReadStream(path)) hash.update(part as Buffer);
}
async function inTime<T>(work: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`nothing came for ${STALL_MS / 1000} s`)), STALL_MS);
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
