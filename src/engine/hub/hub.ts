// Owns bringing a model of the hub into the cache: which commit is meant, which of its files are needed, what is done without the hub.
// Refuses to know how one file is fetched, and how the model runs.

import { mkdir, readFile, rename, stat, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { HubApiError, listFiles, modelInfo } from '@huggingface/hub';
import { z } from 'zod';
import { pairOf } from '../encoder-decoder/pair.ts';
import { weightNames } from '../models/model-files.ts';
import { EngineError } from '../port.ts';
import { fetchFile, isHeld, linkWeights, reasonOf } from './fetch.ts';
import type { Fetching, HubFile } from './fetch.ts';
import type { HubModel, HubSettings } from './settings.ts';

export interface HubLogger {
  info(message: string): void;
  warn(message: string): void;
}

const COMMIT = /^[0-9a-f]{40}$/;
/** Everything but weights that a model folder is read for. */
const SMALL = /^(config|genai_config|generation_config|tokenizer|tokenizer_config|modules|sentence_bert_config|config_sentence_transformers|pharos)\.json$|^chat_template\.jinja$|^\d{1,2}_\w{1,64}\/config\.json$|^\d{1,2}_Dense\/model\.safetensors$/;
const MOST_FILES = 20_000;
const START_MS = 30_000;
const genaiSchema = z.looseObject({ model: z.looseObject({ decoder: z.looseObject({ filename: z.string().min(1).max(256) }) }) });

const invalid = (message: string, cause?: unknown): EngineError => new EngineError('model_invalid', message, { cause });
/** Where the cache keeps a repository. */
export const storageOf = (cache: string, repository: string): string => join(cache, `models--${repository.replaceAll('/', '--')}`);

/**
 * The folder of a model in the cache, with `#` and the variant behind it. What is missing is fetched; when the hub cannot be reached, or breaks off, a commit that is in the cache is used,
 * with a warning. Throws EngineError `model_invalid` that says what the hub lacks or why it was not asked.
 */
export async function fetchModel(model: HubModel, settings: HubSettings, logger: HubLogger, mostBytes: number): Promise<string> {
  const { repository, revision, variant } = model;
  const storage = storageOf(settings.cache, repository);
  const folderOf = async (commit: string): Promise<string> => {
    const folder = join(storage, 'snapshots', commit);
    await linkWeights(folder);
    return folder + (variant === undefined ? '' : `#${variant}`);
  };
  if (settings.offline) {
    const commit = await cached(storage, revision);
    if (commit === undefined) throw invalid(`${repository} at ${revision} is not in ${settings.cache}, and HF_HUB_OFFLINE forbids to fetch it`);
    return folderOf(commit);
  }
  try {
    return await folderOf(await bring(model, settings, { storage, log: (message) => logger.info(message) }, mostBytes));
  } catch (error) {
    if (!isOutage(error)) throw error instanceof EngineError ? error : refused(model, settings, error);
    const known = await cached(storage, revision);
    const told = error instanceof EngineError ? error.message : `${settings.endpoint} cannot be asked for ${repository}: ${reasonOf(error)}`;
    if (known === undefined) throw invalid(`${told}; and it is not in ${settings.cache}`, error);
    logger.warn(`${told}; commit ${known} of the cache is used`);
    return folderOf(known);
  }
}
/** Fetches what is missing of the commit that is meant, and returns that. */
async function bring(model: HubModel, settings: HubSettings, { storage, log }: Pick<Fetching, 'storage' | 'log'>, mostBytes: number): Promise<string> {
  const { repository, revision, variant } = model;
  const commit = await commitOf(model, settings);
  const fetching: Fetching = { settings, repository, commit, storage, log };
  const wanted = await choose(await filesOf(fetching), variant, fetching);
  const held = await Promise.all(wanted.map(async (file) => isHeld(file, fetching)));
  const bytes = wanted.reduce((sum, { size }, i) => sum + (held[i] ? 0 : size), 0);
  if (bytes > mostBytes) throw invalid(`${repository} has ${bytes} bytes to fetch, and PHAROS_DOWNLOAD_BYTES allows ${mostBytes}`);
  for (const file of wanted) await fetchFile(file, fetching);
  // Last: what the name stands for is whole.
  if (revision !== commit) await writeRef(join(storage, 'refs', revision), commit);
  return commit;
}
async function writeRef(path: string, commit: string): Promise<void> {
  await mkdir(dirname(path), { recursive: true });
  const other = `${path}.${process.pid}.new`;
  await writeFile(other, commit);
  await rename(other, path);
}
/** Did the way to the hub fail, or the hub itself, rather than refuse? */
function isOutage(error: unknown): boolean {
  if (error instanceof EngineError) return error.cause !== undefined && isOutage(error.cause);
  return !(error instanceof HubApiError) || error.statusCode >= 500 || error.statusCode === 408 || error.statusCode === 429;
}

/** The commit of a revision whose snapshot is there. */
async function cached(storage: string, revision: string): Promise<string | undefined> {
  const commit = COMMIT.test(revision) ? revision : (await readFile(join(storage, 'refs', revision), 'utf8').catch(() => '')).trim();
  if (!COMMIT.test(commit)) return undefined;
  return (await stat(join(storage, 'snapshots', commit)).catch(() => undefined))?.isDirectory() ? commit : undefined;
}
const access = ({ endpoint, token }: HubSettings) => ({ hubUrl: endpoint, ...(token === undefined ? {} : { accessToken: token }) });
const timed: typeof fetch = async (input, init) => fetch(input, { ...init, signal: AbortSignal.timeout(START_MS) });

async function commitOf({ repository, revision }: HubModel, settings: HubSettings): Promise<string> {
  const { sha } = await modelInfo({ name: repository, revision, additionalFields: ['sha'], fetch: timed, ...access(settings) });
  if (!COMMIT.test(sha)) throw new Error(`the hub names the commit ${sha}`);
  return sha;
}
async function filesOf({ repository, commit, settings }: Fetching): Promise<readonly HubFile[]> {
  const files: HubFile[] = [];
  for await (const { type, path, size, oid, lfs } of listFiles({ repo: repository, revision: commit, recursive: true, fetch: timed, ...access(settings) })) {
    if (type !== 'file') continue;
    if (files.length >= MOST_FILES) throw invalid(`${repository} has more than ${MOST_FILES} files`);
    const digest = lfs?.oid ?? oid ?? '';
    // They become names of files here.
    if (!/^[0-9a-f]{40}([0-9a-f]{24})?$/.test(digest) || path.split('/').some((part) => part === '' || part === '.' || part === '..') || path.includes('\\')) throw invalid(`${repository}: the hub lists ${JSON.stringify(path)} with the checksum ${JSON.stringify(digest)}, which cannot be`);
    files.push({ path, size: lfs?.size ?? size, digest, large: lfs !== undefined });
  }
  return files;
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** The files that the model is read from and one form of its weights, the largest last. */
async function choose(files: readonly HubFile[], variant: string | undefined, fetching: Fetching): Promise<readonly HubFile[]> {
  const { repository } = fetching;
  const small = files.filter(({ path }) => SMALL.test(path));
  const names = weightNames(variant);
  const genai = variant === undefined ? small.find(({ path }) => path === 'genai_config.json') : undefined;
  if (genai) {
    const read = genaiSchema.safeParse(parsed(await readFile(await fetchFile(genai, fetching), 'utf8')));
    if (read.success) names.unshift(read.data.model.decoder.filename);
  }
  const has = (name: string): boolean => files.some(({ path }) => path === name);
  const pair = genai ? {} : pairOf(variant, has);
  const wanted = pair.encoder !== undefined && pair.decoder !== undefined ? [pair.encoder, pair.decoder, pair.opening] : [names.find(has)];
  const graphs = files.filter(({ path }) => wanted.includes(path));
  if (graphs.length === 0) {
    const others = files.filter(({ path }) => path.endsWith('.onnx')).map(({ path }) => path);
    throw invalid(
      others.length === 0
        ? `${repository} holds no ONNX graph; look for an export of the model, such as those of onnx-community`
        : `${repository} has no weights${variant === undefined ? '' : ` of the variant ${variant}`}; Pharos looks for ${names.slice(0, 6).join(', ')}; it has: ${others.slice(0, 12).join(', ')}`,
    );
  }
  const beside = files.filter(({ path }) => graphs.some((graph) => path.startsWith(`${graph.path}_data`) || path.startsWith(`${graph.path}.data`)));
  return [...small, ...graphs, ...beside].toSorted((a, b) => a.size - b.size);
}

function refused({ repository, revision }: HubModel, { endpoint, token }: HubSettings, error: unknown): EngineError {
  const status = error instanceof HubApiError ? error.statusCode : undefined;
  if (status === 401 || status === 403) return invalid(`${endpoint} does not give ${repository} (${status}): there is no such model, or it is private or its terms were not accepted${token === undefined ? '; then HF_TOKEN must hold a key' : ' by the holder of HF_TOKEN'}`, error);
  if (status === 404) return invalid(`${endpoint} has no ${repository} at ${revision}`, error);
  return invalid(`${endpoint} cannot be asked for ${repository}: ${reasonOf(error)}`, error);
}
