// Owns which graphs a model that writes is made of - a decoder, or a decoder beside an encoder, and another one for the first pass of a text - each read and brought into its form.
// Refuses to know sessions and devices.

import { sourceGraph } from '../encoder-decoder/source-encoder.ts';
import type { SourceGraph } from '../encoder-decoder/source-encoder.ts';
import { graphOf } from '../onnx-session.ts';
import { EngineError } from '../port.ts';
import { graphForm } from './graph-form.ts';
import type { FormOptions, GraphForm, StatedNames } from './graph-form.ts';

export interface SourceFiles {
  /** Path of the encoder's graph. */
  readonly encoder: string;
  /** The decoder's graph for the first pass of a text, where it is another one. */
  readonly opening?: string;
  /** Fills places, and is no token of a text. */
  readonly padId?: number;
}
export interface GraphFiles {
  /** Path of the decoder's graph. */
  readonly file: string;
  readonly names?: StatedNames;
  readonly source?: SourceFiles;
}
interface FormedGraph {
  readonly file: string;
  /** Absent: the file is opened as it stands. */
  readonly model: Uint8Array | undefined;
  readonly form: GraphForm;
}
export interface ModelGraphs {
  readonly main: FormedGraph;
  readonly opening?: FormedGraph;
  readonly encoder?: SourceGraph;
  /** Outputs of the encoder that are read. */
  readonly wanted: readonly string[];
}

/** Reads the files once; gives the graphs with, or without, a head that sees the wanted positions alone. Throws EngineError `model_invalid`. */
export function readGraphs({ file, names, source }: GraphFiles, resident: boolean): (narrow: boolean) => ModelGraphs {
  const decoder = graphOf(file);
  const first = source?.opening === undefined ? undefined : graphOf(source.opening);
  const encoder = source && sourceGraph(source.encoder);
  const given = encoder && [...encoder.outputs.keys()];
  const formed = (path: string, { bytes, whole }: ReturnType<typeof graphOf>, options: FormOptions): FormedGraph => {
    const form = graphForm(bytes, path, names, options);
    return { file: path, model: form.model ?? (whole ? undefined : bytes), form };
  };
  return (narrow) => {
    const main = formed(file, decoder, { narrow, resident, encoder: given });
    const opening = first && source?.opening !== undefined ? formed(source.opening, first, { narrow, encoder: given, opens: main.form }) : undefined;
    if (!opening && main.form.crossed.some(({ fresh }) => fresh === ''))
      throw new EngineError(
        'model_invalid',
        `${file}: the graph takes keys and values of the source and does not give them; put decoder_model.onnx beside it, or take decoder_model_merged.onnx`,
      );
    const wanted = [...new Set([main, opening].flatMap((graph) => graph?.form.given.map(({ of }) => of) ?? []))];
    const lacking = wanted.find((name) => !given?.includes(name));
    if (lacking !== undefined)
      throw new EngineError(
        'model_invalid',
        `${encoder?.file}: the encoder gives ${given?.join(', ')}, and its decoder takes ${lacking}; both must be of one export`,
      );
    if (encoder && wanted.length + main.form.crossed.length === 0)
      throw new EngineError(
        'model_invalid',
        `${file}: the decoder takes nothing of what its encoder gives (encoder_hidden_states, or outputs of ${encoder.file} by their names); both must be of one export`,
      );
    return { main, ...(opening ? { opening } : {}), ...(encoder ? { encoder } : {}), wanted };
  };
}
