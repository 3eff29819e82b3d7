/** Where a crash test may have the process killed. `mid-group` is between two sets of a group. */
export const failpointNames = ['mid-group', 'before-commit', 'after-commit-before-ack', 'during-checkpoint'] as const;

export type FailpointName = (typeof failpointNames)[number];

/** Kill the process when it comes to `name` for the `hit`-th time (the first is 1). */
export type FailpointSetting = { readonly name: FailpointName; readonly hit: number };

/** A failpoint chosen by a seed, somewhere in the first `within` times that one is passed. */
export function failpointFromSeed(seed: number, within: number): FailpointSetting {
  const mixed = Math.imul(seed ^ (seed >>> 15), 0x2c1b3c6d) >>> 0;
  const name = failpointNames[mixed % failpointNames.length] ?? 'before-commit';
  // A checkpoint is rare: its first is the one to hit.
  return { name, hit: name === 'during-checkpoint' ? 1 : 1 + ((mixed >>> 3) % within) };
}

/** Reads the `name:hit` form that a test passes to a server it starts. */
export function parseFailpoint(text: string): FailpointSetting {
  const [name, hit = '1'] = text.split(':');
  const known = failpointNames.find((candidate) => candidate === name);
  if (known === undefined || !/^[1-9][0-9]*$/.test(hit)) {
    throw new Error(`'${text}' is no failpoint; give one of ${failpointNames.join(', ')}, then ':' and a count`);
  }
  return { name: known, hit: Number(hit) };
}

export type Failpoints = { readonly pass: (name: FailpointName) => void };

/** `undefined` where nothing is configured, so that callers pay one comparison. */
export function createFailpoints(setting: FailpointSetting | undefined): Failpoints | undefined {
  if (setting === undefined) return undefined;
  let left = setting.hit;
  return {
    pass: (name) => {
      if (name === setting.name && --left === 0) process.kill(process.pid, 'SIGKILL');
    },
  };
}
