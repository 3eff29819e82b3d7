import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { freePort, startServerProcess } from '@portico/testkit/server-process.ts';
import { useEvenly } from './load.ts';

/**
 * `node tests/memory/run.ts [--minutes N] [--sends N] [--syncs N]`: an even load, 200,000 sends and 50,000 syncs in ten
 * minutes, or a part of it. At the end the server must not need more than 115 % of the memory it needed in minute two.
 */
const { values } = parseArgs({
  options: {
    minutes: { type: 'string', default: '10' },
    sends: { type: 'string' },
    syncs: { type: 'string' },
    engine: { type: 'string', default: 'sqlite' },
  },
});
const minutes = Number(values.minutes);
const sends = Number(values.sends ?? 20_000 * minutes);
const syncs = Number(values.syncs ?? 5000 * minutes);
const limit = 1.15;
const lookEvery = (minutes * 60_000) / 20;

type Look = { readonly minute: number; readonly resident: number; readonly anonymous: number };

/** In MiB. https://docs.kernel.org/filesystems/proc.html */
function look(pid: number, started: number): Look {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8');
  const field = (name: string) => Number(new RegExp(`${name}:\\s+(\\d+)`).exec(status)?.[1]) / 1024;
  return { minute: (performance.now() - started) / 60_000, resident: field('VmRSS'), anonymous: field('RssAnon') };
}

const show = ({ minute, resident, anonymous }: Look): string =>
  `minute ${minute.toFixed(1)}: ${resident.toFixed(0)} MiB resident, ${anonymous.toFixed(0)} of them its own`;

const dataDir = mkdtempSync(join(tmpdir(), 'portico-memory-'));
try {
  const port = await freePort();
  const server = await startServerProcess({ dataDir, port });
  const started = performance.now();
  const looks: Look[] = [];
  const say = (seen: Look) => process.stdout.write(`${show(seen)}\n`);
  say(look(server.pid, started));
  const timer = setInterval(() => {
    const seen = look(server.pid, started);
    looks.push(seen);
    say(seen);
  }, lookEvery);
  const done = await useEvenly({ port, milliseconds: minutes * 60_000, sends, syncs });
  clearInterval(timer);
  const last = look(server.pid, started);
  say(last);
  const early = looks.find(({ minute }) => minute >= Math.min(2, minutes / 2)) ?? last;
  const share = last.resident / early.resident;
  process.stdout.write(
    `${done.sends} sends and ${done.syncs} syncs in ${last.minute.toFixed(1)} minutes; ` +
      `at the end ${(100 * share).toFixed(0)} % of minute ${early.minute.toFixed(1)}\n`,
  );
  server.signal('SIGTERM');
  await server.ended;
  process.exitCode = share <= limit ? 0 : 1;
} finally {
  rmSync(dataDir, { recursive: true, force: true });
}
