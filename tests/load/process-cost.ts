import { readdirSync, readFileSync } from 'node:fs';

type ProcessTimes = { readonly pid: number; readonly parent: number; readonly milliseconds: number };

/** Of a process and all its threads, and of those of its children that have ended. `undefined` for one that is gone. */
function timesOf(pid: number): ProcessTimes | undefined {
  try {
    const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ').at(-1)?.split(' ').map(Number) ?? [];
    const ticks = fields.slice(11, 15).reduce((sum, each) => sum + each, 0);
    return { pid, parent: fields[1] ?? 0, milliseconds: ticks * 10 };
  } catch {
    return undefined;
  }
}

/** The CPU that a process and all that it has started have used, in milliseconds. */
export function cpuOf(pid: number): number {
  const all = readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map((name) => timesOf(Number(name)))
    .filter((times) => times !== undefined);
  const children = Map.groupBy(all, ({ parent }) => parent);
  const sum = (of: number): number =>
    (all.find((times) => times.pid === of)?.milliseconds ?? 0) +
    (children.get(of) ?? []).reduce((total, child) => total + sum(child.pid), 0);
  return sum(pid);
}

/** The memory of a process in megabytes: what it has now, and the most it ever had. */
export function memoryOf(pid: number): { readonly now: number; readonly most: number } {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8');
  const read = (name: string) => Number(new RegExp(`^${name}:\\s+(\\d+) kB`, 'm').exec(status)?.[1] ?? 0) / 1024;
  return { now: read('VmRSS'), most: read('VmHWM') };
}
