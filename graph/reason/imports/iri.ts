// Owns making relative references absolute (RFC 3986, section 5.2).
// Refuses to know prefixes, names and syntaxes.

const REFERENCE = /^(?:([a-zA-Z][\w+.-]*):)?(?:\/\/([^/?#]*))?([^?#]*)(\?[^#]*)?(#.*)?$/u;

/** The IRI that a reference stands for in a document with this base; the reference as it is when it has a scheme, or there is no base. */
export function resolveIri(base: string, reference: string): string {
  const [, scheme, authority, path = '', query = '', fragment = ''] = REFERENCE.exec(reference) ?? [];
  if (scheme !== undefined || base === '') return reference;
  const [, from = '', host, start = '', asked = ''] = REFERENCE.exec(base) ?? [];
  const begin = from === '' ? '' : `${from}:`;
  if (authority !== undefined) return `${begin}//${authority}${withoutDots(path)}${query}${fragment}`;
  const place = begin + (host === undefined ? '' : `//${host}`);
  if (path === '') return `${place}${start}${query === '' ? asked : query}${fragment}`;
  const whole = path.startsWith('/') ? path : host !== undefined && start === '' ? `/${path}` : start.slice(0, start.lastIndexOf('/') + 1) + path;
  return `${place}${withoutDots(whole)}${query}${fragment}`;
}
/** The path without the steps `.` and `..`. */
function withoutDots(path: string): string {
  const steps: string[] = [];
  const all = path.split('/');
  for (const [i, step] of all.entries()) {
    if (step !== '.' && step !== '..') steps.push(step);
    else {
      if (step === '..' && steps.length > 1) steps.pop();
      if (i === all.length - 1) steps.push('');
    }
  }
  return steps.join('/');
}
