import { execFile } from 'node:child_process';
import { fail, type Finding, ok, warn } from './finding.ts';

/** Another clock, and how far it is ahead of ours, in milliseconds. */
export type OtherClock = { readonly name: string; readonly ahead: number };

/** Messages would seem to come from the future; other servers begin to refuse keys and requests long after that. */
const tolerable = 5000;
const bad = 60_000;
const advice = 'Let the system set its clock, by systemd-timesyncd, chrony or ntpd.';

/** What the system says of itself counts where nobody else can be asked. */
export async function checkClock(others: readonly OtherClock[]): Promise<Finding> {
  const [worst] = others.toSorted((a, b) => Math.abs(b.ahead) - Math.abs(a.ahead));
  if (worst !== undefined && Math.abs(worst.ahead) > tolerable) {
    const seconds = (Math.abs(worst.ahead) / 1000).toFixed(0);
    const text = `${seconds} seconds ${worst.ahead > 0 ? 'behind' : 'ahead of'} that of ${worst.name}`;
    return Math.abs(worst.ahead) > bad ? fail('clock', text, advice) : warn('clock', text, advice);
  }
  const isSet = await askSystem();
  if (isSet === false) return warn('clock', 'the system says that nothing sets it', advice);
  if (worst !== undefined) return ok('clock', `that of ${worst.name} says the same`);
  return isSet === true ? ok('clock', 'the system sets it') : ok('clock', 'there is nothing to compare it with');
}

/** `undefined` where it cannot tell. */
async function askSystem(): Promise<boolean | undefined> {
  const words = ['show', '--property=NTPSynchronized', '--value'];
  return new Promise((resolve) => {
    execFile('timedatectl', words, { timeout: 3000 }, (error, stdout) => {
      const said = error === null ? stdout.trim() : '';
      resolve(said === 'yes' ? true : said === 'no' ? false : undefined);
    });
  });
}
