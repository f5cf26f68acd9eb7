// Owns the protobuf wire format as ONNX files use it: fields out of bytes, and bytes out of fields.
// Refuses to know what the fields mean.

/** Encoder of protobuf wire format (https://protobuf.dev/programming-guides/encoding/): varints, 32-bit and length-delimited fields. */
export class ProtoWriter {
  #chunks: Uint8Array[] = [];
  #length = 0;

  #push(bytes: Uint8Array): void {
    this.#chunks.push(bytes);
    this.#length += bytes.length;
  }
  #varint(value: number | bigint): void {
    let rest = BigInt.asUintN(64, BigInt(value));
    const bytes: number[] = [];
    do {
      const low = Number(rest & 0x7fn);
      rest >>= 7n;
      bytes.push(rest > 0n ? low | 0x80 : low);
    } while (rest > 0n);
    this.#push(Uint8Array.from(bytes));
  }
  /** Fields as they were read. */
  raw(fields: Uint8Array): this {
    this.#push(fields);
    return this;
  }
  int(field: number, value: number): this {
    this.#varint(field * 8);
    this.#varint(value);
    return this;
  }
  float(field: number, value: number): this {
    this.#varint(field * 8 + 5);
    this.#push(new Uint8Array(new Float32Array([value]).buffer));
    return this;
  }
  bytes(field: number, value: Uint8Array): this {
    this.#varint(field * 8 + 2);
    this.#varint(value.length);
    this.#push(value);
    return this;
  }
  text(field: number, value: string): this {
    return this.bytes(field, new TextEncoder().encode(value));
  }
  message(field: number, value: ProtoWriter): this {
    return this.bytes(field, value.finish());
  }
  finish(): Uint8Array<ArrayBuffer> {
    const all = new Uint8Array(this.#length);
    let at = 0;
    for (const chunk of this.#chunks) {
      all.set(chunk, at);
      at += chunk.length;
    }
    return all;
  }
}

/** Decoder of protobuf wire format (https://protobuf.dev/programming-guides/encoding/): calls `field` with each field's number, its value (a number or its bytes), and all its bytes. */
export function readFields(bytes: Uint8Array, field: (number: number, value: number | Uint8Array, whole: Uint8Array) => void): void {
  let at = 0;
  const varint = (): number => {
    let value = 0;
    let scale = 1;
    for (;;) {
      if (at >= bytes.length) throw new RangeError('the ONNX file ends within a number; it is cut short or no ONNX file');
      const byte = bytes[at++];
      value += (byte & 0x7f) * scale;
      if (byte < 0x80) return value;
      scale *= 128;
    }
  };
  while (at < bytes.length) {
    const start = at;
    const key = varint();
    const wire = key % 8;
    const length = wire === 0 ? 0 : wire === 1 ? 8 : wire === 5 ? 4 : wire === 2 ? varint() : Number.NaN;
    if (!(at + length <= bytes.length)) throw new RangeError(`the ONNX file is damaged at byte ${at} of a message of ${bytes.length}`);
    if (wire === 0) {
      const value = varint();
      field(Math.floor(key / 8), value, bytes.subarray(start, at));
    }
    else {
      const value = bytes.subarray(at, at + length);
      at += length;
      field(Math.floor(key / 8), value, bytes.subarray(start, at));
    }
  }
}
