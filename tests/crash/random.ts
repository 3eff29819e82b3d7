/** Numbers that the same seed always gives in the same order. */
export type Random = {
  readonly below: (limit: number) => number;
  readonly pick: <T>(items: readonly T[]) => T;
};

/** xorshift: https://www.jstatsoft.org/article/view/v008i14 */
export function createRandom(seed: number): Random {
  let state = Math.imul(seed + 1, 0x9e3779b1) | 1;
  const next = (): number => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return state >>> 0;
  };
  for (let warm = 0; warm < 8; warm++) next();
  return {
    below: (limit) => next() % limit,
    pick: (items) => items[next() % items.length] as (typeof items)[number],
  };
}
