// Owns which methods each address takes, for telling a wrong method from a wrong address.
// Refuses to know what is behind an address.

export class Paths {
  readonly #patterns = new Map<string, { readonly pattern: RegExp; readonly methods: Set<string> }>();

  /** `url`: as routes are written, with `:name` and `*`. */
  add(url: string, method: string | readonly string[]): void {
    let known = this.#patterns.get(url);
    if (!known) {
      const pattern = url.split('/').map((part) => (part.startsWith(':') ? '[^/]+' : part.replace(/[.+?^${}()|[\]\\]/g, '\\$&').replaceAll('*', '.*')));
      known = { pattern: new RegExp(`^${pattern.join('/')}$`), methods: new Set() };
      this.#patterns.set(url, known);
    }
    for (const each of typeof method === 'string' ? [method] : method) known.methods.add(each);
  }
  /** An address that is written out in full goes before those with names in it. */
  methodsOf(path: string): string[] {
    const exact = this.#patterns.get(path);
    const matching = exact ? [exact] : [...this.#patterns.values()].filter(({ pattern }) => pattern.test(path));
    return [...new Set(matching.flatMap(({ methods }) => [...methods]))].toSorted();
  }
}
