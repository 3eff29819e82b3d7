import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { freePort, startServerProcess } from '@portico/testkit/server-process.ts';
import { measureSends } from './load.ts';
import { buildShim, checkOrder } from './shim.ts';

/**
 * `node tests/durability/run.ts [--seconds N] [--sync-ms N]`: sends under a shim that watches every sync to disk, and
 * makes each take as long as on a slow disk. Needs a C compiler.
 */
const { values } = parseArgs({
  options: { seconds: { type: 'string', default: '6' }, 'sync-ms': { type: 'string', default: '10' } },
});
const folder = mkdtempSync(join(tmpdir(), 'portico-durability-'));
try {
  const shim = buildShim(folder, Number(values['sync-ms']));
  if ('reason' in shim) {
    process.stdout.write(`Skipped: ${shim.reason}.\n`);
    process.exit(0);
  }
  const port = await freePort();
  const server = await startServerProcess({ dataDir: join(folder, 'data'), port, environment: shim.environment });
  const milliseconds = Number(values.seconds) * 1000;
  await measureSends({ port, rooms: 16, milliseconds: 2000 });
  for (const rooms of [16, 1]) {
    const measured = await measureSends({ port, rooms, milliseconds });
    const { perSecond, sendP50, sendP99, versionsP99 } = measured;
    process.stdout.write(
      `64 connections, ${rooms} rooms, ${values['sync-ms']} ms more per sync: ${perSecond.toFixed(0)} sends/s ` +
        `(p50 ${sendP50.toFixed(1)} ms, p99 ${sendP99.toFixed(1)} ms), /versions p99 ${versionsP99.toFixed(1)} ms\n`,
    );
  }
  server.signal('SIGTERM');
  await server.ended;
  const { answers, syncs, early } = checkOrder(shim.read());
  process.stdout.write(`${answers} acknowledgements, ${syncs} syncs, ${early} acknowledged before their sync\n`);
  process.exitCode = early === 0 && answers > 0 ? 0 : 1;
} finally {
  rmSync(folder, { recursive: true, force: true });
}
