const delayPerHost = 20;
const undelayedHosts = 10;
const maxDelay = 30_000;

/** For how many milliseconds a receipt waits, so that others can go with it: two seconds in a room of a hundred servers. */
export function receiptDelay(hosts: number): number {
  return hosts <= undelayedHosts ? 0 : Math.min(hosts * delayPerHost, maxDelay);
}
