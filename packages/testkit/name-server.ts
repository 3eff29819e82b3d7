import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import type { TestContext } from 'node:test';

/** What a name server of a test has for a name: addresses, services (`priority weight port target`), `none`, or silence. */
export type NameRecords = readonly string[] | 'none' | 'broken' | 'silent';

export interface TestNameServer {
  /** `address:port`, as a resolver wants it. */
  readonly address: string;
  /** `NAME TYPE` for each question, those that were asked again included. */
  readonly asked: readonly string[];
}

const types = new Map([
  [1, 'A'],
  [28, 'AAAA'],
  [33, 'SRV'],
]);
const noError = 0x8180;
const serverFailure = 0x8182;
const noSuchName = 0x8183;

/** A name server on this machine that says what a test tells it to say, about names in small letters. RFC 1035, section 4. */
export async function startNameServer(
  context: Pick<TestContext, 'after'>,
  recordsOf: (name: string, type: string) => NameRecords,
): Promise<TestNameServer> {
  const asked: string[] = [];
  const socket = createSocket('udp4');
  context.after(() => socket.close());
  socket.on('message', (query, { port, address }) => {
    const { name, type, end } = readQuestion(query);
    asked.push(`${name} ${type}`);
    const records = recordsOf(name, type);
    if (records === 'silent') return;
    const answers = typeof records === 'string' ? [] : records.flatMap((record) => encodeRecord(type, record));
    const header = Buffer.alloc(12);
    query.copy(header, 0, 0, 2);
    header.writeUInt16BE(records === 'none' ? noSuchName : records === 'broken' ? serverFailure : noError, 2);
    header.writeUInt16BE(1, 4);
    header.writeUInt16BE(answers.length, 6);
    socket.send(Buffer.concat([header, query.subarray(12, end), ...answers]), port, address);
  });
  socket.bind(0, '127.0.0.1');
  await once(socket, 'listening');
  return { address: `127.0.0.1:${socket.address().port}`, asked };
}

function readQuestion(query: Buffer): { name: string; type: string; end: number } {
  const labels: string[] = [];
  let at = 12;
  for (let length = query[at] ?? 0; length > 0; length = query[at] ?? 0) {
    labels.push(query.toString('latin1', at + 1, at + 1 + length));
    at += 1 + length;
  }
  const type = query.readUInt16BE(at + 1);
  return { name: labels.join('.').toLowerCase(), type: types.get(type) ?? `${type}`, end: at + 5 };
}

function encodeRecord(type: string, record: string): readonly Buffer[] {
  const data = dataOf(type, record);
  if (data === undefined) return [];
  const head = Buffer.alloc(12);
  // The name of the question.
  head.writeUInt16BE(0xc00c, 0);
  head.writeUInt16BE([...types].find(([, name]) => name === type)?.[0] ?? 0, 2);
  head.writeUInt16BE(1, 4);
  head.writeUInt16BE(data.length, 10);
  return [Buffer.concat([head, data])];
}

function dataOf(type: string, record: string): Buffer | undefined {
  if (type === 'A') return record.includes(':') ? undefined : Buffer.from(record.split('.').map(Number));
  if (type === 'AAAA') {
    if (!record.includes(':')) return undefined;
    const [left = '', right = ''] = record.split('::');
    const [head, tail] = [left, right].map((part) => part.split(':').filter((group) => group !== ''));
    const groups = [
      ...(head ?? []),
      ...Array<string>(8 - (head?.length ?? 0) - (tail?.length ?? 0)).fill('0'),
      ...(tail ?? []),
    ];
    return Buffer.from(groups.map((group) => group.padStart(4, '0')).join(''), 'hex');
  }
  const [priority, weight, port, target = ''] = record.split(' ');
  const numbers = Buffer.alloc(6);
  for (const [index, value] of [priority, weight, port].entries()) numbers.writeUInt16BE(Number(value), index * 2);
  const labels = target.split('.').filter((label) => label !== '');
  return Buffer.concat([
    numbers,
    ...labels.map((label) => Buffer.concat([Buffer.from([label.length]), Buffer.from(label, 'latin1')])),
    Buffer.from([0]),
  ]);
}
