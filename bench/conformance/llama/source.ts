// Owns a copy of llama.cpp's sources for its test tables: out of the git bundle that node-llama-cpp carries, into bench/data, once.
// Refuses to know what is read from it.

import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const BUNDLE = fileURLToPath(new URL('../../engine/peers/node_modules/node-llama-cpp/llama/gitRelease.bundle', import.meta.url));
const COPY = fileURLToPath(new URL('../../data/llama.cpp', import.meta.url));

/** Reads files of llama.cpp by their paths in its repository. */
export interface LlamaSource {
  /** Where the checkout lies. */
  readonly root: string;
  readonly commit: string;
  text(path: string): string;
  bytes(path: string): Uint8Array;
  has(path: string): boolean;
}

/** `folder`: a checkout to read; empty: the bundle's, cloned when it is not there yet. */
export function llamaSource(folder: string): LlamaSource {
  const root = folder === '' ? COPY : folder;
  if (folder === '' && !existsSync(`${COPY}/tests/test-chat.cpp`)) {
    if (!existsSync(BUNDLE)) throw new Error('llama.cpp is read out of node-llama-cpp; run `npm ci` in bench/engine/peers first, or give --llama a checkout');
    const part = `${COPY}.part`;
    rmSync(part, { recursive: true, force: true });
    execFileSync('git', ['-c', 'advice.detachedHead=false', 'clone', '--quiet', '--depth', '1', BUNDLE, part], { stdio: ['ignore', 'ignore', 'inherit'] });
    renameSync(part, COPY);
  }
  if (!existsSync(`${root}/tests/test-chat.cpp`)) throw new Error(`${root} is no checkout of llama.cpp: it has no tests/test-chat.cpp`);
  const commit = execFileSync('git', ['-C', root, 'rev-parse', '--short=12', 'HEAD'], { encoding: 'utf8' }).trim();
  return {
    root,
    commit,
    text: (path) => readFileSync(`${root}/${path}`, 'utf8'),
    bytes: (path) => readFileSync(`${root}/${path}`),
    has: (path) => existsSync(`${root}/${path}`),
  };
}
