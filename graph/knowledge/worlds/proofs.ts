// Owns proofs that were given out: content-addressed, parts that several proofs share kept once, least recently used fall first.
// Refuses to know how proofs are made or checked.

import { LRUCache } from 'lru-cache';
import { termKey, tripleKey } from '../../terms.ts';
import type { BaseName } from '../../terms.ts';
import { shortHash } from '../../reason/language/print.ts';
import type { Proof } from '../../reason/types.ts';

/** One node of the proofs kept: how many proofs and nodes above hold it, and about how many bytes it takes beside its premises. */
interface Node {
  readonly proof: Proof;
  readonly premises: readonly string[];
  readonly bytes: number;
  holders: number;
}
interface Kept {
  readonly base: BaseName;
  readonly root: string;
}
interface Digest {
  readonly hash: string;
  readonly premises: readonly string[];
  readonly bytes: number;
  /** Bytes of the whole proof if nothing in it were shared. */
  readonly whole: number;
}
/** A node's own maps and links, about. */
const NODE_BYTES = 256;
const ENTRY_BYTES = 128;

/** The proofs that a node rests on, in order. */
const below = (proof: Proof): readonly Proof[] => (proof.kind === 'rule' ? proof.premises : proof.kind === 'aggregate' ? proof.members.flatMap(({ premises }) => premises) : []);

type Counted = Extract<Proof, { readonly kind: 'aggregate' }>;
/** The node with what is shown of it. */
const shown = ({ kind, conclusion, confidence, members, total }: Counted): Counted => ({ kind, conclusion, confidence, members, total });
/** What the node says beside its premises. Which premises belong to which member of a group shows in the numbers of them. */
function own(proof: Proof): string {
  if (proof.kind === 'rule') {
    const bindings = Object.entries(proof.bindings).map(([name, term]) => `${name}=${termKey(term)}`);
    return [proof.rule.id, tripleKey(proof.conclusion), proof.confidence, ...bindings].join('\u0000');
  }
  return JSON.stringify(proof.kind === 'aggregate' ? { ...shown(proof), members: proof.members.map(({ bindings, premises }) => [bindings, premises.length]) } : proof);
}

export class ProofStore {
  readonly #most: number;
  readonly #kept: LRUCache<string, Kept> | undefined;
  readonly #nodes = new Map<string, Node>();
  readonly #digests = new WeakMap<Proof, Digest>();
  #bytes = 0;

  /** `bytes`: about what the kept proofs may take (two bytes for each character of their JSON, shared parts once); 0 keeps none. */
  constructor(bytes: number) {
    this.#most = bytes;
    if (bytes > 0) this.#kept = new LRUCache({ maxSize: Math.max(1, Math.floor(bytes / ENTRY_BYTES)), sizeCalculation: () => 1, dispose: ({ root }) => this.#release(root) });
  }
  get bytes(): number {
    return this.#bytes;
  }
  /** Id of the proof: `p_` and a hash of base and content. The same proof always has the same id. */
  keep(base: BaseName, proof: Proof): string {
    const { hash, whole } = this.#digest(proof);
    const id = `p_${shortHash(`${base}\u0000${hash}`)}`;
    if (!this.#kept || this.#kept.get(id)) return id;
    this.#hold(proof);
    this.#bytes += ENTRY_BYTES;
    // A proof that does not fit by itself must not drive out the others.
    if (this.#bytes > this.#most && whole > this.#most && this.#size(hash) > this.#most) {
      this.#release(hash);
      return id;
    }
    this.#kept.set(id, { base, root: hash });
    while (this.#bytes > this.#most && this.#kept.size > 0) this.#kept.pop();
    return id;
  }
  get(id: string): { readonly base: BaseName; readonly proof: Proof } | undefined {
    const kept = this.#kept?.get(id);
    const node = kept && this.#nodes.get(kept.root);
    return kept && node && { base: kept.base, proof: node.proof };
  }
  clear(): void {
    this.#kept?.clear();
  }

  /** Of the whole tree, made from those of its parts, so that a part met again costs nothing. */
  #digest(proof: Proof): Digest {
    const known = this.#digests.get(proof);
    if (known) return known;
    const parts = below(proof).map((premise) => this.#digest(premise));
    const premises = parts.map(({ hash }) => hash);
    const text = own(proof);
    const bytes = NODE_BYTES + 2 * text.length;
    const digest: Digest = { hash: shortHash([text, ...premises].join('\u0000')), premises, bytes, whole: parts.reduce((sum, { whole }) => sum + whole, bytes) };
    this.#digests.set(proof, digest);
    return digest;
  }
  /** The node as kept, with its parts as kept: one more holds it. */
  #hold(proof: Proof): Proof {
    const { hash, premises, bytes } = this.#digest(proof);
    const known = this.#nodes.get(hash);
    if (known) {
      known.holders++;
      return known.proof;
    }
    const whole: Proof =
      proof.kind === 'rule'
        ? { ...proof, premises: proof.premises.map((premise) => this.#hold(premise)) }
        : proof.kind === 'aggregate'
          ? { ...shown(proof), members: proof.members.map((member) => ({ ...member, premises: member.premises.map((premise) => this.#hold(premise)) })) }
          : proof;
    this.#nodes.set(hash, { proof: whole, premises, bytes, holders: 1 });
    this.#bytes += bytes;
    return whole;
  }
  /** Bytes of a kept node with all that it rests on. */
  #size(root: string): number {
    const seen = new Set([root]);
    let bytes = ENTRY_BYTES;
    for (const hash of seen) {
      const node = this.#nodes.get(hash);
      bytes += node?.bytes ?? 0;
      for (const premise of node?.premises ?? []) seen.add(premise);
    }
    return bytes;
  }
  #release(root: string): void {
    this.#bytes -= ENTRY_BYTES;
    const open = [root];
    for (let hash = open.pop(); hash !== undefined; hash = open.pop()) {
      const node = this.#nodes.get(hash);
      if (!node || --node.holders > 0) continue;
      this.#nodes.delete(hash);
      this.#bytes -= node.bytes;
      open.push(...node.premises);
    }
  }
}
