// Owns names of models on the Hugging Face Hub, and where its other tools keep and find things: their environment variables, read as they read them.
// Refuses to know how files are fetched.

import { homedir } from 'node:os';
import { join } from 'node:path';

export interface HubSettings {
  /** Address of the hub, without a slash at its end. */
  readonly endpoint: string;
  /** Folder of the cache, in the layout that all of Hugging Face's tools share. */
  readonly cache: string;
  /** Only what is in the cache is used. */
  readonly offline: boolean;
  /** For models that are private, or whose terms were accepted. */
  readonly token: string | undefined;
  /** Milliseconds after which a connection that brings nothing is given up; absent: a minute. */
  readonly stallMs?: number;
}
type Variables = Readonly<Record<string, string | undefined>>;

/** A day: timers take no more than 24 of them. */
const MOST_SECONDS = 86_400;
/** HF_ENDPOINT, HF_HUB_CACHE, HF_HOME, HF_HUB_OFFLINE, HF_TOKEN, HF_HUB_DOWNLOAD_TIMEOUT (seconds) and their older names; an empty one counts as absent. */
export function hubSettings(variables: Variables): HubSettings {
  const first = (...names: readonly string[]): string | undefined => names.map((name) => variables[name]).find((value) => value !== undefined && value !== '');
  const seconds = Number(first('HF_HUB_DOWNLOAD_TIMEOUT') ?? Number.NaN);
  const home = first('HF_HOME') ?? join(first('XDG_CACHE_HOME') ?? join(homedir(), '.cache'), 'huggingface');
  return {
    endpoint: (first('HF_ENDPOINT') ?? 'https://huggingface.co').replace(/\/+$/, ''),
    cache: (first('HF_HUB_CACHE', 'HUGGINGFACE_HUB_CACHE') ?? join(home, 'hub')).replace(/^~(?=\/|$)/, homedir()),
    offline: /^(1|on|yes|true)$/i.test(first('HF_HUB_OFFLINE', 'TRANSFORMERS_OFFLINE') ?? ''),
    token: first('HF_TOKEN', 'HUGGING_FACE_HUB_TOKEN'),
    ...(seconds > 0 && seconds <= MOST_SECONDS ? { stallMs: seconds * 1000 } : {}),
  };
}

/** A model on the hub. */
export interface HubModel {
  /** `owner/name`. */
  readonly repository: string;
  /** A branch, tag or commit. */
  readonly revision: string;
  /** Which weights, where there are several. */
  readonly variant: string | undefined;
}
const NAME = /^(?:hf:)?([\w][\w.-]{0,95}\/[\w][\w.-]{0,95})(?:@([\w][\w./-]{0,255}))?(?:#(\w{1,64}))?$/;

/** `owner/name`, behind it `@` and a revision, `#` and a variant. Undefined for what cannot be one. */
export function parseHubModel(given: string): HubModel | undefined {
  const found = NAME.exec(given);
  if (!found || /\.\.|\/\/|\/$/.test(given)) return undefined;
  const [, repository, revision = 'main', variant] = found as unknown as [string, string, string | undefined, string | undefined];
  return { repository, revision, variant };
}
