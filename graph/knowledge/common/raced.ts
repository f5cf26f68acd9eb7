// Owns the error of a reading that a write cut in two.
// Refuses to know what was read.

/** Reading raced a write: rows and facts do not fit together. The caller reads again. */
export class Raced extends Error {
  constructor() {
    super('the knowledge base changed while a proof was read');
    this.name = 'Raced';
  }
}
