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
  methodsOf(path: string): string[] {
    const methods = new Set<string>();
    for (const known of this.#patterns.values()) if (known.pattern.test(path)) for (const method of known.methods) methods.add(method);
    return [...methods].toSorted();
  }
}
