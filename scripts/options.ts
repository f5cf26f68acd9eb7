// Owns reading a command's options: `--help` and a wrong one are answered with how the command is used.
// Refuses to know any command.

import { parseArgs } from 'node:util';
import type { ParseArgsOptionsConfig } from 'node:util';

/** What sysexits and most shells take for wrong usage. */
const WRONG = 2;

/** The values of the options; the process ends after `--help` (0) and at an option that is not known (2). */
export function optionsOf<const Options extends ParseArgsOptionsConfig>(usage: string, options: Options): ReturnType<typeof parseArgs<{ readonly options: Options }>>['values'] {
  if (process.argv.slice(2).includes('--help')) {
    console.log(usage);
    process.exit(0);
  }
  try {
    return parseArgs({ options }).values;
  } catch (error) {
    console.error(`${error instanceof Error ? error.message : String(error)}\n\n${usage}`);
    return process.exit(WRONG);
  }
}
