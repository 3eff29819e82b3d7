import type { Command, CommandInput } from './command.ts';
import { exitCodes } from './failure.ts';
import { passwordOptions, readPassword } from './read-password.ts';
import type { OpenHandlers } from './remote-command.ts';
import { callServer } from './remote-command.ts';

type State = {
  readonly user_id: string;
  readonly admin: boolean;
  readonly locked: boolean;
  readonly suspended: boolean;
  readonly password: boolean;
  readonly created_ts: number;
  readonly deactivated_ts?: number | null;
  readonly emails: readonly string[];
  readonly devices: number;
};

type DeviceRow = {
  readonly device_id: string;
  readonly display_name?: string;
  readonly last_seen_ip?: string;
  readonly last_seen_ts?: number;
};

/** What can be done for people who cannot do it themselves, or must not. */
export function userCommands(openHandlers: OpenHandlers): Command[] {
  async function call<T>(input: CommandInput, method: string, params: object = {}): Promise<T> {
    const [name] = input.positionals;
    return (await callServer(await input.loadConfig(), openHandlers, method, { name, ...params })) as T;
  }
  type Named = { readonly user_id: string };
  const common = { takesConfig: true, options: {}, positionals: ['NAME'] };
  return [
    {
      ...common,
      name: 'user show',
      summary: 'Says what is known of an account: email addresses, devices, whether it can be used.',
      async run(input) {
        for (const line of describe(await call<State>(input, 'user.show'))) input.print(line);
        return exitCodes.fine;
      },
    },
    {
      ...common,
      name: 'user reset-password',
      summary: 'Sets a new password and logs all devices out. Without a password it makes one up and prints it.',
      options: {
        ...passwordOptions,
        'keep-devices': { help: 'Leaves the devices logged in: for those who forgot it, not for those who lost it.' },
      },
      async run(input) {
        const { password, isMadeUp } = await readPassword(input.options);
        const params = { password, keep_devices: input.options.has('keep-devices') };
        const { user_id: userId } = await call<Named>(input, 'user.set-password', params);
        input.print(`${userId} has a new password${isMadeUp ? `: ${password}` : ''}`);
        return exitCodes.fine;
      },
    },
    {
      ...common,
      name: 'user email add',
      positionals: ['NAME', 'ADDRESS'],
      summary: 'Adds an email address to an account. It counts as proved: be sure whose it is.',
      async run(input) {
        const [, address] = input.positionals;
        const added = await call<Named & { address: string }>(input, 'user.email.add', { address });
        input.print(`${added.user_id} has the address ${added.address}`);
        return exitCodes.fine;
      },
    },
    {
      ...common,
      name: 'user email remove',
      positionals: ['NAME', 'ADDRESS'],
      summary: 'Takes an email address from an account.',
      async run(input) {
        const [, address] = input.positionals;
        const { user_id: userId } = await call<Named>(input, 'user.email.remove', { address });
        input.print(`${userId} no longer has the address ${address}`);
        return exitCodes.fine;
      },
    },
    {
      ...common,
      name: 'user devices',
      summary: 'Lists the devices that are logged in, and when and from where they were last used.',
      async run(input) {
        const { devices } = await call<{ devices: readonly DeviceRow[] }>(input, 'user.devices');
        for (const device of devices) input.print(describeDevice(device));
        return exitCodes.fine;
      },
    },
    {
      ...common,
      name: 'user logout',
      positionals: ['NAME', '[DEVICE]'],
      summary: 'Logs one device out, or all of them.',
      async run(input) {
        const [, device] = input.positionals;
        const params = device === undefined ? {} : { device_id: device };
        const done = await call<Named & { devices: number }>(input, 'user.logout', params);
        input.print(`Logged ${done.user_id} out on ${done.devices} ${done.devices === 1 ? 'device' : 'devices'}`);
        return exitCodes.fine;
      },
    },
    {
      ...common,
      name: 'user admin',
      summary: 'Makes an account an administrator.',
      options: { revoke: { help: 'Makes it an ordinary account again.' } },
      async run(input) {
        const isAdmin = !input.options.has('revoke');
        const { user_id: userId } = await call<Named>(input, 'user.set-admin', { admin: isAdmin });
        input.print(`${userId} is ${isAdmin ? 'an administrator' : 'no administrator'}`);
        return exitCodes.fine;
      },
    },
    {
      ...common,
      name: 'user deactivate',
      summary: 'Ends an account for good: it leaves all rooms, and its name is never given to anybody again.',
      options: { erase: { help: 'Also erases what they have sent and uploaded, as far as this server can.' } },
      async run(input) {
        const params = { erase: input.options.has('erase') };
        const { user_id: userId } = await call<Named>(input, 'user.deactivate', params);
        input.print(`${userId} is deactivated; leaving the rooms goes on while the server runs`);
        return exitCodes.fine;
      },
    },
  ];
}

function describe(state: State): string[] {
  const { deactivated_ts: ended, emails } = state;
  const marks = [
    ...(state.admin ? ['administrator'] : []),
    ...(state.locked ? ['locked'] : []),
    ...(state.suspended ? ['suspended'] : []),
    ...(state.password || typeof ended === 'number' ? [] : ['no password']),
    ...(typeof ended === 'number' ? [`deactivated on ${dateOf(ended)}`] : []),
  ];
  return [
    `${state.user_id}${marks.length === 0 ? '' : `: ${marks.join(', ')}`}`,
    `made on ${dateOf(state.created_ts)}`,
    `email addresses: ${emails.length === 0 ? 'none' : emails.join(', ')}`,
    `devices: ${state.devices}`,
  ];
}

function describeDevice({ device_id: id, display_name: name, last_seen_ts: at, last_seen_ip: ip }: DeviceRow): string {
  const seen = at === undefined ? 'not seen yet' : `last seen ${dateOf(at)}${ip === undefined ? '' : ` from ${ip}`}`;
  return `${id}  ${JSON.stringify(name ?? '')}  ${seen}`;
}

function dateOf(timestamp: number): string {
  return new Date(timestamp).toISOString();
}
