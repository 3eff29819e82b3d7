import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { createWriteStream } from 'node:fs';
import { createInterface } from 'node:readline';

export type BridgeOptions = {
  readonly id: string;
  readonly homeserver: string;
  readonly domain: string;
  readonly port: number;
  readonly asToken: string;
  readonly hsToken: string;
  readonly bot: string;
  readonly prefix: string;
  /** How it gets at keys: by transactions for a device that it makes or logs in on, or by syncing. */
  readonly encryption: 'device' | 'login' | 'sync' | 'none';
  /** Where it keeps what it has to remember, and its registration file. */
  readonly folder: string;
  readonly file: string;
  /** The folder in which its library is installed. */
  readonly library: string;
};

export type Saying = {
  readonly number: number;
  readonly roomId: string;
  readonly by: string;
  readonly text: string;
  readonly ts?: number;
};

type Line = {
  readonly ready?: true;
  readonly got?: { readonly eventId: string; readonly roomId: string; readonly body: string };
  readonly said?: number;
  readonly eventId?: string;
  readonly devices?: readonly string[];
  readonly error?: string;
  readonly failed?: string;
  readonly encrypted?: string;
};

/** A bridge as a process of its own, and the network at its other end. */
export type Bridge = {
  readonly options: BridgeOptions;
  start(): Promise<void>;
  stop(): Promise<void>;
  /** What it was told of a room by people, in order, over all its runs. */
  texts(roomId: string): readonly string[];
  /** Has a ghost say something, after what it was asked before; its event ID. */
  say(saying: Omit<Saying, 'number'>): Promise<string>;
  /** The devices of somebody whose keys it has. */
  devicesOf(userId: string): Promise<readonly string[]>;
  /** Waits until something is so, looking after each line that the bridge writes. */
  until(what: string, holds: () => boolean): Promise<void>;
  knowsEncrypted(roomId: string): boolean;
};

const patience = 60_000;

export function createBridge(command: readonly [string, ...string[]], options: BridgeOptions): Bridge {
  const [program, ...before] = command;
  const args = (what: string): string[] => [...before, what, JSON.stringify(options)];
  const made = spawnSync(program, args('register'), { encoding: 'utf8' });
  if (made.status !== 0) throw new Error(`${options.id} writes no registration: ${made.stderr}`);

  const got: NonNullable<Line['got']>[] = [];
  const failures: string[] = [];
  const encrypted = new Set<string>();
  const answers = new Map<number, (line: Line) => void>();
  const looking = new Set<() => void>();
  let child: ChildProcess | undefined;
  let isReady = false;
  let sayings = 0;

  function take(line: Line): void {
    if (line.ready) isReady = true;
    if (line.got !== undefined) got.push(line.got);
    if (line.failed !== undefined) failures.push(line.failed);
    if (line.encrypted !== undefined) encrypted.add(line.encrypted);
    if (line.said !== undefined) answers.get(line.said)?.(line);
    for (const look of looking) look();
  }

  function until(what: string, holds: () => boolean): Promise<void> {
    return new Promise((resolve, reject) => {
      const settle = (end: () => void): void => {
        clearTimeout(timer);
        looking.delete(look);
        end();
      };
      const look = (): void => {
        if (failures.length > 0) settle(() => reject(new Error(`${options.id}: ${failures.join('\n')}`)));
        else if (holds()) settle(resolve);
      };
      const timer = setTimeout(() => settle(() => reject(new Error(`${options.id} waits in vain: ${what}`))), patience);
      looking.add(look);
      look();
    });
  }

  function ask(what: object): Promise<Line> {
    const number = sayings++;
    return new Promise((resolve, reject) => {
      answers.set(number, (line) => {
        answers.delete(number);
        if (line.error === undefined) resolve(line);
        else reject(new Error(`${options.id}: ${line.error}`));
      });
      child?.stdin?.write(`${JSON.stringify({ number, ...what })}\n`);
    });
  }

  return {
    options,
    async start() {
      const running = spawn(program, args('run'), { stdio: ['pipe', 'pipe', 'pipe'] });
      child = running;
      isReady = false;
      running.stderr.pipe(createWriteStream(`${options.file}.log`, { flags: 'a' }));
      createInterface({ input: running.stdout }).on('line', (line) => take(JSON.parse(line) as Line));
      running.on('exit', () => {
        if (!isReady) take({ failed: `it ended: see ${options.file}.log` });
      });
      await until('it starts', () => isReady);
    },
    async stop() {
      const running = child;
      child = undefined;
      if (running === undefined || running.exitCode !== null) return;
      const ended = once(running, 'exit');
      running.kill('SIGTERM');
      await ended;
    },
    texts: (roomId) => got.filter((each) => each.roomId === roomId).map(({ body }) => body),
    say: async (saying) => (await ask(saying)).eventId ?? '',
    devicesOf: async (userId) => (await ask({ devicesOf: userId })).devices ?? [],
    until,
    knowsEncrypted: (roomId) => encrypted.has(roomId),
  };
}
