// Owns how many bytes of memory can still be had here.
// Refuses to know what for.

import { readFileSync } from 'node:fs';
import { freemem } from 'node:os';

/** Where a container's share is told, what is used of it, and which part of that is file cache, which gives way: cgroup v2, and v1. */
const SHARES = [
  { limit: '/sys/fs/cgroup/memory.max', used: '/sys/fs/cgroup/memory.current', statistics: '/sys/fs/cgroup/memory.stat', cache: /^file (\d+)$/m },
  { limit: '/sys/fs/cgroup/memory/memory.limit_in_bytes', used: '/sys/fs/cgroup/memory/memory.usage_in_bytes', statistics: '/sys/fs/cgroup/memory/memory.stat', cache: /^total_cache (\d+)$/m },
] as const;

function read(path: string): string {
  try {
    return readFileSync(path, 'utf8').trim();
  } catch {
    return '';
  }
}
/** Without a limit there is a word, or a number that is larger than any memory. */
function freeOfShare({ limit, used, statistics, cache }: (typeof SHARES)[number]): number {
  const most = Number(read(limit) || Number.NaN);
  if (!Number.isFinite(most)) return Number.POSITIVE_INFINITY;
  return most - Number(read(used)) + Number(cache.exec(read(statistics))?.[1] ?? 0);
}
/** Of the machine or, where it has less left, of this process's container. */
export const freeBytes = (): number => Math.max(0, Math.min(freemem(), ...SHARES.map(freeOfShare)));
