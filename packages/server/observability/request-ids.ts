import { randomBytes } from 'node:crypto';

/** Names for requests that are unique across restarts and processes, at the price of a counter. */
export function createRequestIds(): () => string {
  const prefix = randomBytes(5).toString('hex');
  let count = 0;
  return () => {
    count += 1;
    return `${prefix}-${count.toString(36)}`;
  };
}
