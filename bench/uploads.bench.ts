import { randomBytes } from 'node:crypto';
import type { TestClient } from '@portico/testkit/test-client.ts';
import type { Measurement } from './bench.ts';
import {
  anybody,
  canMeasure,
  measureRounds,
  register,
  startBareServer,
  startPortico,
  type MeasuredServer,
} from './measured-server.ts';

const uploads = 20;
const content = randomBytes(1024 * 1024);

/** What it costs to take 1 MiB, which is on the disk when it is answered, beside a server that does nothing else. */
export async function measured(): Promise<readonly Measurement[]> {
  if (!canMeasure) return [];
  return [
    ...(await measureServer(
      "1 MiB, Node's HTTP server alone",
      () => startBareServer('http'),
      async (url) => anybody(url),
    )),
    ...(await measureServer('1 MiB, Portico', startPortico, (url) => register(url, 'alice'))),
  ];
}

async function measureServer(
  name: string,
  start: () => Promise<MeasuredServer>,
  enter: (baseUrl: string) => Promise<TestClient>,
): Promise<readonly Measurement[]> {
  const server = await start();
  try {
    const { accessToken } = await enter(server.baseUrl);
    return await measureRounds(server, name, uploads, async () => {
      const headers = { authorization: `Bearer ${accessToken}`, 'content-type': 'application/octet-stream' };
      const url = `${server.baseUrl}/_matrix/media/v3/upload`;
      const response = await fetch(url, { method: 'POST', headers, body: content });
      if (response.status !== 200) throw new Error(await response.text());
      await response.arrayBuffer();
    });
  } finally {
    await server.stop();
  }
}
