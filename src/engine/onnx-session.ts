// Owns the engine's border to ONNX Runtime, and opening its sessions: which devices are tried, what falls back, and what a failure is called.
// Refuses to know what the graphs compute and how they are run.

import * as ort from 'onnxruntime-node';
import { readGraphFile, weightsFolder } from '../model/graph-file.ts';
import type { GraphBytes } from '../model/graph-file.ts';
import { EngineError } from './port.ts';
import type { Device } from './port.ts';

export { Tensor } from 'onnxruntime-node';
export type { InferenceSession } from 'onnxruntime-node';

/** What `auto` tries before the CPU, in this order. WebGPU is left to those who ask for it: it is listed on machines that have no adapter at all. */
const AUTOMATIC = ['cuda', 'dml', 'coreml'] as const;
export type OneDevice = Exclude<Device, 'auto'>;

// Every failure comes back as an exception; without this, ONNX Runtime also prints the ones that `auto` expects.
ort.env.logLevel = 'fatal';

/** The first line of an error's message. */
export const reasonOf = (error: unknown): string => (error instanceof Error ? error.message : String(error)).split('\n', 1)[0];

/** The graph of a file, without its large weights. Throws EngineError `model_invalid`. */
export function graphOf(file: string): GraphBytes {
  try {
    return readGraphFile(file);
  } catch (error) {
    throw new EngineError('model_invalid', `${file} cannot be read: ${reasonOf(error)}`, { cause: error });
  }
}
/**
 * Opens something on a device. `auto` falls back to the CPU and notes why; a device asked for by name that is not there is EngineError `device_unavailable`. What is wrong with the model on any
 * device (`model_invalid`) is thrown at once.
 */
export async function onDevice<T>({ device, note }: { readonly device: Device; readonly note?: (message: string) => void }, open: (device: OneDevice) => Promise<T>): Promise<T> {
  const listed = new Set(ort.listSupportedBackends().map(({ name }) => name));
  if (device !== 'auto') {
    if (!listed.has(device)) throw new EngineError('device_unavailable', `device ${device} is not in this build of ONNX Runtime; it has: ${[...listed].join(', ')}`);
    return open(device);
  }
  const reasons: string[] = [];
  for (const each of AUTOMATIC) {
    if (!listed.has(each)) continue;
    try {
      return await open(each);
    } catch (error) {
      if (error instanceof EngineError && error.code === 'model_invalid') throw error;
      reasons.push(reasonOf(error));
    }
  }
  note?.(reasons.length > 0 ? `running on cpu: ${reasons.join('; ')}` : 'running on cpu: ONNX Runtime lists no accelerator for this machine');
  return open('cpu');
}

export interface SessionFile {
  readonly file: string;
  /** The graph as it was read without weights, or edited; absent: the file is read as it stands. */
  readonly model?: Uint8Array;
  readonly threads: number;
}
/**
 * Opens a session and has it tried: what fails is `model_invalid` on the CPU and `device_unavailable` elsewhere, and leaves no session behind.
 */
export async function openSession<T>(device: OneDevice, { file, model, threads }: SessionFile, settings: ort.InferenceSession.SessionOptions, attempt: (session: ort.InferenceSession) => Promise<T>): Promise<T> {
  const unusable = (error: unknown): EngineError =>
    device === 'cpu'
      ? new EngineError('model_invalid', `${file} cannot be run: ${reasonOf(error)}`, { cause: error })
      : new EngineError('device_unavailable', `device ${device} cannot run ${file}: ${reasonOf(error)}`, { cause: error });
  const all: ort.InferenceSession.SessionOptions = {
    executionProviders: device === 'cpu' ? ['cpu'] : [device, 'cpu'],
    intraOpNumThreads: threads,
    interOpNumThreads: 1,
    executionMode: 'sequential',
    // A graph in memory has no place of its own beside which to look for weights.
    ...(model ? { extra: { session: { model_external_initializers_file_folder_path: weightsFolder(file) } } } : {}),
    ...settings,
  };
  let session: ort.InferenceSession;
  try {
    session = await (model ? ort.InferenceSession.create(model, all) : ort.InferenceSession.create(file, all));
  } catch (error) {
    throw unusable(error);
  }
  try {
    return await attempt(session);
  } catch (error) {
    await session.release();
    throw unusable(error);
  }
}
/**
 * Runs a session and tells how many milliseconds it computed. The binding computes in a turn of the event loop of its own, in which the thread does nothing else; other sessions may have theirs
 * between the call and that turn.
 */
export async function timedRun(session: ort.InferenceSession, feeds: ort.InferenceSession.FeedsType, outputs: readonly string[]): Promise<{ readonly outputs: ort.InferenceSession.OnnxValueMapType; readonly ms: number }> {
  let start = 0;
  setImmediate(() => (start = performance.now()));
  const computed = await session.run(feeds, outputs);
  return { outputs: computed, ms: performance.now() - start };
}
