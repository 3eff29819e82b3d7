import { rmSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { inbound, join, type Measured, outbound } from './costs.ts';
import { type Kind, makePlace, parseKinds, starter } from './federated-server.ts';
import { createFigures } from './table.ts';

/**
 * `node tests/load/federation-cost.ts [--servers synapse,portico] [--events N] [--warm N] [--per N,N] [--pace N] [--rate N] [--peers N,N]
 * [--members N] [--profile FOLDER]`: what one server spends on an event of another one, of which `per` come in a transaction,
 * as fast as they are answered or `pace` transactions a second; on one more server that an event goes to, at `rate` events a
 * second; and on joining a room of so many members. Each server gets the same from the same scripted peers.
 */
const { values } = parseArgs({
  options: {
    servers: { type: 'string', default: 'portico' },
    events: { type: 'string', default: '2000' },
    warm: { type: 'string', default: '100' },
    per: { type: 'string', default: '50,5,1' },
    pace: { type: 'string', default: '0' },
    rate: { type: 'string', default: '100' },
    peers: { type: 'string', default: '0,20' },
    members: { type: 'string', default: '' },
    profile: { type: 'string' },
  },
});
const numbersOf = (text: string) => (text === '' ? [] : text.split(',').map(Number));
const [events, pace, rate] = [Number(values.events), Number(values.pace), Number(values.rate)];
const kinds = parseKinds(values.servers);
const place = makePlace();
const say = (line: string) => void process.stdout.write(`${line}\n`);
const { note, table } = createFigures(say);

async function measure(kind: Kind): Promise<void> {
  const measured: Measured = { place, start: starter(kind, place, values.profile), warm: Number(values.warm) };
  for (const per of numbersOf(values.per)) {
    const each = await inbound(measured, events, per, pace);
    note(kind, `an event of another server, ${per} in a transaction, ms of CPU`, each);
  }
  let before: { readonly count: number; readonly each: number } | undefined;
  for (const count of numbersOf(values.peers)) {
    const each = await outbound(measured, events, count, rate);
    note(kind, `an event to ${count} others, ms of CPU`, each);
    if (before !== undefined) {
      note(kind, 'one more server, ms of CPU', (each - before.each) / (count - before.count));
    }
    before = { count, each };
  }
  for (const members of numbersOf(values.members)) {
    const { seconds, milliseconds, megabytes } = await join(measured, members);
    note(kind, `joining a room of ${members} members, s`, seconds);
    note(kind, `joining a room of ${members} members, ms of CPU`, milliseconds);
    note(kind, `joining a room of ${members} members, MB more`, megabytes);
  }
}

try {
  for (const kind of kinds) await measure(kind);
  say(table(kinds));
} finally {
  rmSync(place.folder, { recursive: true, force: true });
}
process.exit();
