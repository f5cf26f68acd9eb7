// Owns the limits of inductions that hold for a whole process: how many at once, how much of the machine each may take.
// Refuses to know what one request asks for.

export interface InductionLimits {
  /** Inductions that mine at the same time; more are refused with `busy`. */
  readonly jobs: number;
  /** Inductions kept after they ended; each keeps its rules and facts in the memory of its threads. */
  readonly kept: number;
  /** Threads of one induction, if there are as many processors. */
  readonly threads: number;
  /** JavaScript heap of one thread in bytes; an induction that needs more fails. Columns of facts and rules are not in it. */
  readonly heapBytes: number;
  /** Rules that a thread collects: those given out, and more for rankings. */
  readonly collected: number;
  /** Bodies that a thread keeps in mind. */
  readonly candidates: number;
  /** Edges looked at to count one rule; with more it is extrapolated. A rule that only ranks has a tenth: there, many rules are worth more than exact ones. */
  readonly edges: number;
  /** Edges looked at in one ranking. */
  readonly rankEdges: number;
}
export const INDUCTION_LIMITS: InductionLimits = {
  jobs: 2,
  kept: 8,
  threads: 2,
  heapBytes: 4 * 2 ** 30,
  collected: 1_000_000,
  candidates: 2_000_000,
  edges: 1_000_000,
  rankEdges: 5_000_000,
};
