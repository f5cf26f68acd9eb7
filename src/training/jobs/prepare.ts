// Owns making a job's examples ready in its folder: uploaded files under names of the job's own, or questions out of a knowledge base.
// Refuses to know the queue and how a run trains.

import { open, rename } from 'node:fs/promises';
import type { FileHandle } from 'node:fs/promises';
import type { ReadableGraph } from '../../answers/cache/dependencies.ts';
import type { GroundedFormat } from '../../engine/port.ts';
import { PART, share } from '../../workspace/files/durable.ts';
import type { FileStore } from '../../workspace/files/file-store.ts';
import { parseBaseName } from '../../../graph/terms.ts';
import { knowledgeExamples } from '../knowledge-data/examples.ts';
import type { KnowledgeExample } from '../knowledge-data/examples.ts';
import type { Job, KnowledgeSource } from './job.ts';
import type { JobFiles } from './job-folder.ts';
import type { Prepared } from './preparation.ts';

export interface PrepareOptions {
  readonly graph: ReadableGraph;
  /** How the model of that name reads evidence; undefined for one that was not taught to. */
  readonly formatOf: (model: string) => GroundedFormat | undefined;
}

/** Lines that are written at a time. */
const BATCH = 100;

/** A base that gives no example. `code` becomes the job's. */
class NothingToLearn extends Error {
  readonly code = 'nothing_to_learn';
}

/** A file of lines that is there when it is whole. */
class LineFile {
  readonly #path: string;
  readonly #handle: FileHandle;
  #waiting: string[] = [];
  lines = 0;
  private constructor(path: string, handle: FileHandle) {
    this.#path = path;
    this.#handle = handle;
  }
  static async create(path: string): Promise<LineFile> {
    return new LineFile(path, await open(path + PART, 'w'));
  }
  async add(line: unknown): Promise<void> {
    this.lines++;
    this.#waiting.push(`${JSON.stringify(line)}\n`);
    if (this.#waiting.length >= BATCH) await this.#flush();
  }
  async finish(): Promise<void> {
    await this.#flush();
    await this.#handle.sync();
    await rename(this.#path + PART, this.#path);
  }
  async close(): Promise<void> {
    await this.#handle.close();
  }
  async #flush(): Promise<void> {
    const text = this.#waiting.join('');
    this.#waiting = [];
    await this.#handle.appendFile(text);
  }
}

/** Gives a job the files that it names, so that they are its own whatever becomes of the uploads. Throws FileError `unknown_file`. */
export const claiming =
  (files: FileStore) =>
  async ({ trainingFile, validationFile }: Job, at: JobFiles): Promise<void> => {
    if (trainingFile !== undefined) await share(files.path(trainingFile), at.training);
    if (validationFile !== undefined) await share(files.path(validationFile), at.validation);
  };
export const preparing =
  ({ graph, formatOf }: PrepareOptions) =>
  async (job: Job, at: JobFiles, signal: AbortSignal): Promise<Prepared> => {
    const validation = job.validationFile === undefined ? [] : [at.validation];
    if (job.trainingFile !== undefined) return { training: [at.training], validation, message: 'The files are ready' };
    if (!job.knowledge) throw new NothingToLearn('the job names neither a training file nor a knowledge base');
    const examples = knowledgeExamples(graph, { ...sourceOf(job.knowledge), seed: job.settings.seed, format: formatOf(job.model), signal });
    const { learned, heldOut } = await writeExamples(examples, at);
    if (learned === 0)
      throw new NothingToLearn(
        `knowledge base ${job.knowledge.base} gives no question that can be asked in ${job.knowledge.languages.join(' or ')}; add facts, or aliases of its relations in that language`,
      );
    if (heldOut > 0) validation.push(at.heldOut);
    return {
      training: [at.training],
      validation,
      message: `Knowledge base ${job.knowledge.base} gave ${learned} examples for training and ${heldOut} others for validation`,
    };
  };
const sourceOf = ({ base, ...rest }: KnowledgeSource) => ({ ...rest, base: parseBaseName(base) });

async function writeExamples(examples: AsyncIterable<KnowledgeExample>, at: JobFiles): Promise<{ readonly learned: number; readonly heldOut: number }> {
  const [training, heldOut] = [await LineFile.create(at.training), await LineFile.create(at.heldOut)];
  try {
    for await (const example of examples) await (example.held_out ? heldOut : training).add(example);
    await heldOut.finish();
    await training.finish();
  } finally {
    await training.close();
    await heldOut.close();
  }
  return { learned: training.lines, heldOut: heldOut.lines };
}
