import { connect, type Socket } from 'node:net';
import { parentPort, workerData } from 'node:worker_threads';

/** A thread that sends as many requests as it is told over a few connections, each as soon as the last was answered. */
export type Load = {
  readonly port: number;
  readonly connections: number;
  readonly head: string;
  readonly rest: string;
};

const { port, connections, head, rest } = workerData as Load;
const sockets = Array.from({ length: connections }, () => connect({ port, host: '127.0.0.1', noDelay: true }));
let left = 0;
let open = 0;

function next(socket: Socket): void {
  if (left > 0) {
    left -= 1;
    socket.write(`${head}${left}${rest}`);
    return;
  }
  open -= 1;
  if (open === 0) parentPort?.postMessage('done');
}

// Answers are far smaller than a packet: one arrives with each of them.
for (const socket of sockets) socket.on('data', () => next(socket));

parentPort?.on('message', (count: number) => {
  left = count;
  open = sockets.length;
  for (const socket of sockets) next(socket);
});
