import { rmSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { makePlace, parseKinds, starter } from './federated-server.ts';
import { runLoad } from './load.ts';
import { createFigures } from './table.ts';

/**
 * `node tests/load/federation.ts [--servers synapse,portico] [--members N] [--rate N] [--seconds N] [--profile FOLDER]`: three servers with a room of
 * many members, events from all of them, while one peer never answers, one answers garbage and one answers without end. Fails
 * if an event is lost. With a folder, each thread of a Portico leaves a CPU profile there.
 */
const { values } = parseArgs({
  options: {
    servers: { type: 'string', default: 'portico' },
    members: { type: 'string', default: '1000' },
    rate: { type: 'string', default: '200' },
    seconds: { type: 'string', default: '300' },
    profile: { type: 'string' },
  },
});
const [members, rate, seconds] = [Number(values.members), Number(values.rate), Number(values.seconds)];
const kinds = parseKinds(values.servers);
const place = makePlace();
const say = (line: string) => void process.stdout.write(`${line}\n`);
const { note, table } = createFigures(say);

try {
  for (const kind of kinds) {
    const start = starter(kind, place, values.profile);
    const { lag, cpu, lost } = await runLoad({ place, start, members, rate, seconds, say });
    note(kind, 'lag to everybody, ms, p50', lag.p50);
    note(kind, 'lag to everybody, ms, p95', lag.p95);
    note(kind, 'lag to everybody, ms, p99', lag.p99);
    note(kind, 'CPU of the three servers for an event, ms', cpu);
    note(kind, 'lost', lost);
    if (lost > 0) process.exitCode = 1;
  }
  say(table(kinds));
} finally {
  rmSync(place.folder, { recursive: true, force: true });
}
process.exit();
