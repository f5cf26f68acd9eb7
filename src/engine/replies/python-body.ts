// Owns calls in a block of code, as Gemma 3 (between fences) and LFM2 are wont to write them: as code of Python, or as a JSON object or a list of them.
// Refuses to know how the code is read.

import { done, failed, ObjectBody, OPEN } from './call-bodies.ts';
import type { BodyState, CallBody } from './call-bodies.ts';
import { CallObject } from './call-object.ts';
import type { CallSink } from './call-object.ts';
import { isSpace } from './json-scanner.ts';
import { ListBody } from './list-body.ts';
import { isSign, MarkFinder } from './marks.ts';
import { pythonCalls } from './python-calls.ts';
import type { PythonCall } from './python-calls.ts';
import { parameterNames } from './values.ts';

/** Characters of a block that is held back until it is whole. */
const MOST_CODE = 65_536;

interface WholeCall {
  readonly name: string;
  readonly args: string;
}

/** Nothing of a block is told before its end: only then it is known to be calls alone. */
export class PythonBody implements CallBody {
  readonly #sink: CallSink;
  readonly #close: string;
  readonly #finder: MarkFinder;
  #code = '';
  /** What reads a block of JSON. */
  #json: CallBody | undefined;

  constructor(sink: CallSink, close: string) {
    this.#sink = sink;
    this.#close = close;
    this.#finder = new MarkFinder([close]);
  }
  push(character: string): BodyState {
    if (this.#json) return this.#json.push(character);
    if (this.#code === '' && this.#finder.held === '' && isSpace(character)) return OPEN;
    if (character === '{' && (this.#code === '' || this.#code.trim() === '[')) {
      this.#json = this.#code === '' ? new ObjectBody(this.#sink, this.#close) : this.#list();
      return this.#json.push(character);
    }
    const { passed, found } = this.#finder.push(character);
    this.#code += passed;
    if (this.#code.length > MOST_CODE || Array.from(passed).some(isSign)) return failed(character);
    if (found === undefined) return OPEN;
    return this.#call() ? done('') : failed('');
  }
  #list(): ListBody {
    const list = new ListBody(this.#sink, { close: this.#close }, (sink) => new CallObject(sink));
    list.push('[');
    return list;
  }
  #call(): boolean {
    const calls = pythonCalls(this.#code)?.map((call) => this.#wholeOf(call));
    if (!calls?.every((call) => call !== undefined)) return false;
    for (const { name, args } of calls) {
      this.#sink.begin(name);
      this.#sink.write(args);
    }
    return true;
  }
  /** Values by position have the names that the schema has them in. */
  #wholeOf({ name: path, values, named }: PythonCall): WholeCall | undefined {
    const name = this.#sink.knows(path) ? path : (path.split('.').at(-1) ?? path);
    if (!this.#sink.knows(name)) return undefined;
    const names = parameterNames(this.#sink.parameters(name));
    if (values.length > names.length) return undefined;
    return { name, args: JSON.stringify({ ...Object.fromEntries(values.map((value, i) => [names[i], value])), ...named }) };
  }
  end(): boolean {
    if (this.#json) return this.#json.end();
    this.#code += this.#finder.end();
    return this.#call();
  }
}
