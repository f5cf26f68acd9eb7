// Owns what a loss graph is: the contract between those who build graphs with gradients and those who run them.
// Refuses to know models, data and optimizers.

/** A trained parameter: an input of its name, and an output `gradient.<name>` of the same shape. */
export interface TrainedParameter {
  readonly name: string;
  readonly shape: readonly number[];
  /** Whether weight decay applies (matrices, not norms and biases). */
  readonly decay: boolean;
  /** Whether it is a matrix of a layer, which Muon turns orthogonal. */
  readonly hidden: boolean;
}
/** A parameter that stays as it is: an input of its name. */
export interface FrozenParameter {
  readonly name: string;
  readonly shape: readonly number[];
  /** In shared memory, where every session reads them: they are held once, and a graph, which is one protobuf message of less than 2 GiB, need not hold them. */
  readonly values: Float32Array;
}
/**
 * An ONNX graph: forward, loss and backward in one. Its inputs are those of a batch (src/training/batch.ts): `input_ids`, `positions`, `segments` int64 [T, B] (time-major), `rows` and `targets`
 * int64 [M], `weights` float32 [M] (sum 1), and one float32 input a trained or frozen parameter, and, where `dropout`, `dropout_seed` int64 [1] (negative: nothing is dropped). Its outputs: `loss` [] (sum over M of weight * -log P(target)), where
 * `accuracy` is said, `accuracy` [] (sum over M of the weights of those whose target is the most probable token), `gradient.<name>` a trained parameter, and, where `embedding` is said, `gradient.inputs` [T * B, width]: what is still to be added to rows `input_ids` of that parameter's gradient.
 */
export interface LossGraph {
  readonly model: Uint8Array;
  readonly parameters: readonly TrainedParameter[];
  readonly frozen?: readonly FrozenParameter[];
  readonly embedding?: { readonly name: string; readonly width: number };
  readonly dropout: boolean;
  readonly accuracy?: boolean;
}
/** A model that can be trained. */
export interface TrainableModel {
  /** Graph of the loss, and what the trained parameters are at the start. */
  readonly graph: LossGraph;
  initial(): Map<string, Float32Array>;
  /** All parameters, trained or not. */
  readonly parameterCount: number;
  /** Most tokens of a row. */
  readonly contextLength: number;
  /** Writes a folder that the engine serves, with the trained parameters in their place (adapters merged). */
  save(weights: ReadonlyMap<string, Float32Array>, folder: string): void;
}
