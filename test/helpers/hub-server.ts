// Owns a small server that speaks the Hugging Face Hub's API for models: commits, lists of files in pages, files whole and in parts, large ones behind a redirect, and faults that are asked for.
// Refuses to know who asks.

import { createHash } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join, relative } from 'node:path';
import type { Test } from 'tap';

export interface HubRepository {
  commit: string;
  readonly files: Map<string, Buffer>;
  /** Other names of the commit, besides main. */
  readonly revisions?: readonly string[];
  /** Needs a key. */
  readonly gated?: boolean;
}
export interface HubServer {
  readonly url: string;
  readonly repositories: Map<string, HubRepository>;
  /** Files that were asked for with `bytes=from-` where it was a part; in order. */
  readonly served: { readonly path: string; readonly from: number }[];
  /** Called for each answer with a file's bytes: what is sent in their place, and whether the connection then breaks. */
  fault: ((path: string, bytes: Buffer) => { readonly bytes: Buffer; readonly breaks: boolean } | undefined) | undefined;
  /** Called for each request: a status that is answered in place of what was asked for; `never`: there is no answer at all. */
  refuse: ((what: string, path: string) => number | 'never' | undefined) | undefined;
  close(): void;
}

const isLarge = (path: string): boolean => /\.onnx(_data)?$/.test(path);
const digestOf = (path: string, bytes: Buffer): string => (isLarge(path) ? createHash('sha256').update(bytes) : createHash('sha1').update(`blob ${bytes.length}\0`).update(bytes)).digest('hex');

/** All files of a folder as a repository. */
export async function repositoryOf(folder: string, more: Partial<HubRepository> = {}): Promise<HubRepository> {
  const files = new Map<string, Buffer>([['README.md', Buffer.from('# a model')], ['model.safetensors', Buffer.alloc(999)]]);
  for (const entry of await readdir(folder, { recursive: true, withFileTypes: true })) {
    if (entry.isFile()) files.set(relative(folder, join(entry.parentPath, entry.name)), await readFile(join(entry.parentPath, entry.name)));
  }
  return { commit: createHash('sha1').update(folder).digest('hex'), files, ...more };
}

export async function startHub(t: Pick<Test, 'teardown'>, repositories: Readonly<Record<string, HubRepository>>): Promise<HubServer> {
  const server = createServer((request, response) => answer(request, response));
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const close = (): void => {
    server.close();
    server.closeAllConnections();
  };
  t.teardown(close);
  const hub: HubServer = { url, repositories: new Map(Object.entries(repositories)), served: [], fault: undefined, refuse: undefined, close };

  const json = (response: ServerResponse, status: number, body: unknown, headers: Readonly<Record<string, string>> = {}): void => {
    response.writeHead(status, { 'content-type': 'application/json; charset=utf-8', ...headers }).end(JSON.stringify(body));
  };
  function answer(request: IncomingMessage, response: ServerResponse): void {
    const { pathname, searchParams } = new URL(request.url ?? '/', url);
    const [, name, what, revision = '', path = ''] = /^(?:\/api\/models|\/cdn)?\/([^/]+\/[^/]+)\/(revision|tree|resolve)\/([^/?]+)(?:\/(.+))?$/.exec(decodeURIComponent(pathname)) ?? [];
    const refused = hub.refuse?.(what ?? '', path);
    if (refused === 'never') return undefined;
    if (refused !== undefined) return json(response, refused, { error: 'not now' });
    const repository = hub.repositories.get(name ?? '');
    if (!repository) return json(response, 401, { error: 'Invalid username or password.' });
    if (repository.gated === true && request.headers.authorization !== 'Bearer hf_good') return json(response, 403, { error: 'Access to this model is restricted.' });
    if (![repository.commit, 'main', 'HEAD', ...(repository.revisions ?? [])].includes(revision)) return json(response, 404, { error: `Invalid rev id: ${revision}` });
    if (what === 'revision') return json(response, 200, { _id: '1', id: name, sha: repository.commit, lastModified: '2026-01-01T00:00:00Z', private: false });
    if (what === 'tree') {
      const all = Array.from(repository.files, ([file, bytes]) => ({ type: 'file', path: file, size: bytes.length, oid: createHash('sha1').update(file).digest('hex'), ...(isLarge(file) ? { lfs: { oid: digestOf(file, bytes), size: bytes.length, pointerSize: 134 } } : { oid: digestOf(file, bytes) }) }));
      const from = Number(searchParams.get('cursor') ?? 0);
      const next = from + 4 < all.length ? { link: `<${url}${pathname}?recursive=true&cursor=${from + 4}>; rel="next"` } : {};
      return json(response, 200, [...(from === 0 ? [{ type: 'directory', path: 'onnx', size: 0, oid: '0'.repeat(40) }] : []), ...all.slice(from, from + 4)], next as Record<string, string>);
    }
    const bytes = repository.files.get(path);
    if (!bytes) return json(response, 404, { error: 'Entry not found' }, { 'x-error-code': 'EntryNotFound' });
    if (isLarge(path) && !pathname.startsWith('/cdn')) {
      response.writeHead(302, { location: `/cdn${request.url}`, 'x-linked-etag': digestOf(path, bytes), 'x-linked-size': String(bytes.length) }).end();
      return;
    }
    const [, first, last] = /^bytes=(\d+)-(\d*)$/.exec(request.headers.range ?? '') ?? [];
    const [from, end] = [Number(first ?? 0), last ? Math.min(Number(last) + 1, bytes.length) : bytes.length];
    const probe = from === 0 && end === 1 && bytes.length > 1;
    if (!probe) hub.served.push({ path, from });
    const part = bytes.subarray(from, end);
    const faulty = probe ? undefined : hub.fault?.(path, part);
    response.writeHead(first === undefined ? 200 : 206, { etag: `"${digestOf(path, bytes)}"`, 'content-length': String(part.length), ...(first === undefined ? {} : { 'content-range': `bytes ${from}-${end - 1}/${bytes.length}` }) });
    if (faulty?.breaks === true) response.write(faulty.bytes, () => setTimeout(() => response.destroy(), 20));
    else response.end(faulty?.bytes ?? part);
    return undefined;
  }
  return hub;
}
