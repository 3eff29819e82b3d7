import { startPeer } from '@portico/testkit/federation-peer.ts';
import { startTestNetwork } from '@portico/testkit/network.ts';
import { createPeerRoom } from '@portico/testkit/peer-room.ts';
import type { Measurement } from './bench.ts';

const members = Number(process.env['BENCH_MEMBERS'] ?? 10_000);

/**
 * How long the event loop is held at once, in milliseconds of CPU: on a machine that does other things as well, the clock
 * says nothing.
 */
function watchStalls() {
  const held: number[] = [];
  let last = process.threadCpuUsage();
  const timer = setInterval(() => {
    const now = process.threadCpuUsage();
    held.push((now.user + now.system - last.user - last.system) / 1000);
    last = now;
  }, 1);
  return {
    stop() {
      clearInterval(timer);
      held.sort((a, b) => a - b);
      return { p99: held[Math.floor(held.length * 0.99)] ?? 0, most: held.at(-1) ?? 0 };
    },
  };
}

function watchMemory() {
  globalThis.gc?.();
  const before = process.memoryUsage.rss();
  let peak = before;
  const timer = setInterval(() => (peak = Math.max(peak, process.memoryUsage.rss())), 50);
  return {
    stop() {
      clearInterval(timer);
      return (Math.max(peak, process.memoryUsage.rss()) - before) / 1024 / 1024;
    },
  };
}

/** A whole server joins a room of many members through another one, which is in the same process. */
export async function measured(): Promise<readonly Measurement[]> {
  const network = await startTestNetwork(['hs1']);
  const peer = await startPeer(network, 'peer.test');
  try {
    const alice = await network.server('hs1').registerUser('alice');
    const room = createPeerRoom(peer);
    for (let index = 1; index < members; index++) {
      const userId = `@u${index}:${peer.serverName}`;
      const avatar = `mxc://${peer.serverName}/${index}`;
      const content = { membership: 'join', displayname: `Person number ${index}`, avatar_url: avatar };
      room.add({ type: 'm.room.member', stateKey: userId, sender: userId, content });
    }
    const authChain = [...room.state.values()].slice(0, 4).map(({ pdu }) => pdu);
    room.serve((event) => room.joinAnswer(event, { authChain }));
    const [memory, stalls] = [watchMemory(), watchStalls()];
    const [started, cpu] = [performance.now(), process.cpuUsage()];
    const path = `/_matrix/client/v3/join/${encodeURIComponent(room.roomId)}?via=peer.test`;
    const { status, body } = await alice.post(path, {});
    const took = performance.now() - started;
    const { user, system } = process.cpuUsage(cpu);
    const { p99, most } = stalls.stop();
    if (status !== 200) throw new Error(JSON.stringify(body));
    console.log(
      `  memory +${memory.stop().toFixed(0)} MB; event loop held p99 ${p99.toFixed(1)} ms, most ${most.toFixed(1)} ms`,
    );
    return [
      { name: `joining a room of ${members} members, elapsed`, microseconds: took * 1000 },
      { name: `joining a room of ${members} members, CPU`, microseconds: user + system },
    ];
  } finally {
    await peer.close();
    await network.close();
  }
}
