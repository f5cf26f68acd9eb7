// Owns the angles of rotary positions, with the scalings in use for contexts longer than a model was trained with.
// Refuses to know what is rotated.

export interface RotaryConfig {
  readonly base: number;
  /** How many dimensions of a head are turned, the first ones. Default: all. */
  readonly dimensions?: number;
  readonly scaling?:
    | { readonly kind: 'linear'; readonly factor: number }
    /** Llama 3.1: long wavelengths are scaled, short ones kept, with a slope between. */
    | { readonly kind: 'llama3'; readonly factor: number; readonly lowFactor: number; readonly highFactor: number; readonly trainedLength: number }
    /** Peng et al. 2023, "YaRN". `attention`: what cosines and sines are multiplied by; absent: 0.1 ln(factor) + 1. */
    | {
        readonly kind: 'yarn';
        readonly factor: number;
        readonly trainedLength: number;
        readonly fast: number;
        readonly slow: number;
        readonly attention?: number;
      }
    /** Ding et al. 2024, "LongRoPE": a factor for each frequency, and what cosines and sines are multiplied by. */
    | { readonly kind: 'longrope'; readonly factors: readonly number[]; readonly attention: number };
}

/**
 * The base that stretches the longest wavelength to texts of `length` tokens and keeps the shortest (NTK-aware scaling; "dynamic" where it follows the length of each text):
 * base * (factor * length / trainedLength - factor + 1)^(size / (size - 2)). No other than `base` up to the trained length.
 */
export const stretchedBase = (base: number, size: number, factor: number, trainedLength: number, length: number): number =>
  base * Math.max(1, (factor * length) / trainedLength - factor + 1) ** (size / (size - 2));

/** Dimensions of a head that are turned. */
export const rotatedSize = ({ dimensions }: RotaryConfig, headSize: number): number => dimensions ?? headSize;

/** Cosines and sines [positions, size / 2] of heads of which `size` dimensions are turned: angle = position * frequency(i), of which the unscaled ones are base^(-2i / size) (Su et al. 2021, eq. 15). */
export function rotaryAngles(config: RotaryConfig, headSize: number, positions: number): { readonly cos: Float32Array; readonly sin: Float32Array } {
  const size = rotatedSize(config, headSize);
  const half = size / 2;
  const { frequencies, attention } = frequenciesOf(config, size);
  const [cos, sin] = [new Float32Array(positions * half), new Float32Array(positions * half)];
  for (let position = 0; position < positions; position++)
    for (let i = 0; i < half; i++) {
      const angle = position * frequencies[i];
      cos[position * half + i] = Math.cos(angle) * attention;
      sin[position * half + i] = Math.sin(angle) * attention;
    }
  return { cos, sin };
}

function frequenciesOf({ base, scaling }: RotaryConfig, headSize: number): { readonly frequencies: readonly number[]; readonly attention: number } {
  const plain = Array.from({ length: headSize / 2 }, (_, i) => base ** ((-2 * i) / headSize));
  if (!scaling) return { frequencies: plain, attention: 1 };
  switch (scaling.kind) {
    case 'linear':
      return { frequencies: plain.map((frequency) => frequency / scaling.factor), attention: 1 };
    case 'llama3': {
      const { factor, lowFactor, highFactor, trainedLength } = scaling;
      const scaled = plain.map((frequency) => {
        const turns = (trainedLength * frequency) / (2 * Math.PI);
        const kept = Math.min(1, Math.max(0, (turns - lowFactor) / (highFactor - lowFactor)));
        return kept * frequency + ((1 - kept) * frequency) / factor;
      });
      return { frequencies: scaled, attention: 1 };
    }
    case 'yarn': {
      const { factor, trainedLength, fast, slow, attention } = scaling;
      // The dimension that turns so often over the trained length (eq. 17 ff.).
      const dimension = (turns: number): number => (headSize * Math.log(trainedLength / (turns * 2 * Math.PI))) / (2 * Math.log(base));
      const from = Math.max(0, Math.floor(dimension(fast)));
      const to = Math.min(headSize - 1, Math.ceil(dimension(slow)));
      const scaled = plain.map((frequency, i) => {
        const ramp = Math.min(1, Math.max(0, (i - from) / Math.max(0.001, to - from)));
        return (frequency / factor) * ramp + frequency * (1 - ramp);
      });
      return { frequencies: scaled, attention: attention ?? (factor > 1 ? 0.1 * Math.log(factor) + 1 : 1) };
    }
    case 'longrope':
      return { frequencies: plain.map((frequency, i) => frequency / scaling.factors[i]), attention: scaling.attention };
    default:
      return scaling satisfies never;
  }
}
