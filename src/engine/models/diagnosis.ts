// Owns why a model could not be loaded, in words that name the file and say what to do. It looks only when something has failed: what is whole is not read twice.
// Refuses to know how models are loaded and run.

import { open, readFile, realpath, stat } from 'node:fs/promises';
import { basename, dirname, isAbsolute, join, normalize, sep } from 'node:path';
import { readFields } from '../../model/protobuf.ts';

export interface ModelPlaces {
  readonly folder: string;
  /** Absent: it is not yet known which file it is. */
  readonly onnx?: string;
  /** Graphs beside it. */
  readonly others?: readonly string[];
}

/** What Git leaves in the place of a large file that was not fetched. */
const POINTER = 'version https://git-lfs.github.com/spec/';
async function isPointer(path: string): Promise<boolean> {
  const file = await open(path).catch(() => undefined);
  if (!file) return false;
  try {
    const { buffer, bytesRead } = await file.read(Buffer.alloc(POINTER.length), 0, POINTER.length, 0);
    return buffer.toString('latin1', 0, bytesRead) === POINTER;
  } finally {
    await file.close();
  }
}

/** Files beside the graph that hold weights, and up to where they are read (onnx.proto: TensorProto.external_data). Throws RangeError for bytes that are no ONNX file. */
function outsideWeights(bytes: Uint8Array): Map<string, number> {
  const ends = new Map<string, number>();
  const inner = (value: number | Uint8Array, read: Parameters<typeof readFields>[1]): void => {
    if (typeof value !== 'number') readFields(value, read);
  };
  const text = (value: number | Uint8Array): string => (typeof value === 'number' ? '' : Buffer.from(value).toString('utf8'));
  readFields(bytes, (field, graph) => {
    if (field !== 7) return;
    inner(graph, (part, tensor) => {
      if (part !== 5) return;
      const entries = new Map<string, string>();
      inner(tensor, (each, entry) => {
        if (each !== 13) return;
        let [key, value] = ['', ''];
        inner(entry, (which, given) => {
          if (which === 1) key = text(given);
          else if (which === 2) value = text(given);
        });
        entries.set(key, value);
      });
      const location = entries.get('location');
      if (location !== undefined) ends.set(location, Math.max(ends.get(location) ?? 0, Number(entries.get('offset') ?? 0) + Number(entries.get('length') ?? 0)));
    });
  });
  return ends;
}

const DAMAGED = 'is damaged, cut short or no ONNX file; fetch it again';
async function weightsAdvice(onnx: string): Promise<string | undefined> {
  const bytes = await readFile(onnx).catch(() => undefined);
  if (!bytes) return `it is not there, or may not be read`;
  let outside: Map<string, number>;
  try {
    outside = outsideWeights(bytes);
  } catch {
    return `it has ${bytes.length} bytes, and ${DAMAGED}`;
  }
  for (const [location, end] of outside) {
    if (isAbsolute(location) || normalize(location).startsWith('..')) return `${onnx} keeps weights in ${JSON.stringify(location)}; only files in its own folder are read`;
    const path = join(dirname(onnx), location);
    const found = await stat(path).catch(() => undefined);
    if (!found?.isFile()) return `${basename(onnx)} keeps its weights in ${path}, which is not there; put that file beside it`;
    if (await isPointer(path)) return pointerAdvice(path);
    if (found.size < end) return `${path} has ${found.size} bytes, and ${basename(onnx)} reads ${end} of it: it is cut short; fetch it again`;
  }
  return undefined;
}
const pointerAdvice = (path: string): string => `${path} is what Git LFS leaves in the place of a file that it did not fetch; run \`git lfs pull\` in its folder`;

/** What ONNX Runtime says, and what to do about it. */
const SAID: readonly (readonly [RegExp, string])[] = [
  [/opset \d+ is (under development|not supported)|only \*?guarantees\*? support for models stamped with official|Unsupported model IR version|Unknown model file format version/i, 'it was exported for a newer ONNX Runtime than this one; export it with an older opset, or update Pharos'],
  [/is not a registered function\/op|Could not find an implementation for|No Op registered for|No opset import for domain|unknown (operator|domain)/i, 'it uses an operator that this ONNX Runtime does not have on this device; take another export of the model (such as the fp32, q4 or int8 one), or another PHAROS_DEVICE'],
  [/bad_alloc|failed to allocate|out of memory|bad allocation/i, 'there is not enough memory for it; end other programs, or take smaller weights (such as those of the variant #q4)'],
  [/Protobuf parsing failed|INVALID_PROTOBUF|the ONNX file (is damaged|ends within)|holds no ONNX graph/i, `it ${DAMAGED}`],
  [/is not JSON/, 'it is damaged or cut short; fetch it again'],
  [/a vocabulary of \d+, the logits have \d+/, 'config.json and the weights are of two models; fetch both from one place, or correct vocab_size'],
  [/tokenizer\.json(?! is missing)/, 'it cannot be read here; fetch it again, or take the one that `save_pretrained` of a fast tokenizer writes'],
];

/** A message for those who have no business with where the model lies: its files are named by their path in its folder. */
export async function placeless(message: string, { folder, onnx, others = [] }: ModelPlaces): Promise<string> {
  const real = async (path: string): Promise<string> => realpath(path).catch(() => path);
  // In the cache of the hub, files are links into another folder.
  const beside = await Promise.all([onnx, ...others].flatMap((path) => (path === undefined ? [] : [real(path).then(dirname)])));
  return [folder, await real(folder), ...beside].filter(isAbsolute).reduce((rest, place) => rest.replaceAll(place + sep, '').replaceAll(place, 'its folder'), message);
}

/** The message of what went wrong, and behind it what to do, where that is known. */
export async function explain(error: unknown, { folder, onnx: main, others = [] }: ModelPlaces): Promise<string> {
  const reason = error instanceof Error ? error.message : String(error);
  const onnx = others.find((path) => reason.includes(path)) ?? main;
  // Who reads a file does not always know where it lies.
  const told = reason.includes(folder) ? reason : reason.startsWith('tokenizer.json') ? join(folder, reason) : `${onnx ?? folder}: ${reason}`;
  for (const path of [onnx ?? '', join(folder, 'tokenizer.json'), join(folder, 'config.json')]) if (await isPointer(path)) return `${told}. ${pointerAdvice(path)}`;
  const said = SAID.find(([pattern]) => pattern.test(reason))?.[1];
  const advice = onnx === undefined || /tokenizer\.json|a vocabulary of/.test(reason) ? said : ((await weightsAdvice(onnx)) ?? said);
  return advice === undefined ? told : `${told}. ${advice[0].toUpperCase()}${advice.slice(1)}`;
}
