// Owns what a network of a grammar is made of: nodes, and what leads on from them.
// Refuses to know how networks are made, and where in a text they are walked.

/** From here on arcs read special tokens: the one at this place of `Network.tokens`, and those behind it. */
export const FIRST_TOKEN = 256;
export interface Arc {
  readonly from: number;
  readonly to: number;
  readonly target: number;
}
/** A loop enters `body` and comes back to itself, until it has done so `most` times. Behind `least` times it may end its network. */
export interface Loop {
  readonly body: number;
  readonly least: number;
  readonly most: number;
  /** The loop over the same body that goes round as often as it likes. */
  readonly free: number;
  /** A round may read nothing; then it need not go round, and `least` is 0. */
  readonly hollow: boolean;
}
export interface Node {
  arcs: Arc[];
  jumps: number[];
  /** Networks entered from here, by their first nodes, and where they come back to. */
  calls: { readonly start: number; readonly back: number }[];
  /** The network may end here. */
  final: boolean;
  loop: Loop | undefined;
}
