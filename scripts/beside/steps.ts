import type { Person } from '../dev/client.ts';
import { type Absence, goOnWithout, missNothing } from './absence.ts';
import { shutOut } from './access.ts';
import { followPeople, moveAround } from './around-rooms.ts';
import { meetDevices } from './between-devices.ts';
import { hurry } from './bursts.ts';
import { joinCrowd } from './crowd.ts';
import { sendAtOtherTimes } from './clocks.ts';
import { talkEncrypted } from './encrypted.ts';
import { closeAccount, loseDevice } from './leaving.ts';
import { lookAtPictures } from './media.ts';
import type { OtherServer } from './other-server.ts';
import { goApart } from './partition.ts';
import type { Portico } from './portico.ts';
import { liveInRoom, lookAcross, type Without } from './scenario.ts';

/** What is known of a server that others wrote. */
export type Ways = {
  readonly knows: { readonly knocking: boolean; readonly times: boolean; readonly appServices: boolean };
  /** Whether closing an account there can take what it said from who comes later. */
  readonly erases: boolean;
  /** Whether it always starts again after it was killed. */
  readonly comesBack: boolean;
  /** Whether it keeps out who came back while others closed the room. */
  readonly resolves: boolean;
  readonly sends: Pick<Absence, 'mostSent'>;
  readonly asGuest: (version: number) => Without;
};

export type World = {
  /** Of the other server. */
  readonly name: string;
  readonly portico: Portico;
  readonly other: OtherServer;
  readonly ours: Person;
  readonly theirs: Person;
  readonly ways: Ways;
  readonly versions: readonly string[];
  /** How many people come to a room at once. */
  readonly crowd: number;
  readonly hasOpenMedia: boolean;
  /** How many processes Portico has. */
  readonly processes: number;
  /** The ways between the two. */
  readonly between: { cut(): void; mend(): void };
};

export type Step = readonly [what: string, work: () => Promise<unknown>];

export function stepsOf(world: World): readonly Step[] {
  const { name, portico, other, ours, theirs, ways, versions, crowd, hasOpenMedia, processes, between } = world;
  const { knows } = ways;
  const hostOf = ({ serverName }: { readonly serverName: string }): string => serverName.replace(/:\d+$/, '');
  const open = ({ baseUrl }: { readonly baseUrl: string }) => (hasOpenMedia ? baseUrl : undefined);
  const [here, there] = [
    { server: portico, person: ours },
    { server: other, person: theirs },
  ];
  const brief = { rooms: 1, messages: 30 };
  const long = { rooms: 4, messages: 150 };
  const ofVersion = (version: string): readonly Step[] => [
    [
      `version ${version}: a room on Portico`,
      () => liveInRoom(ours, theirs, portico.serverName, version, ways.asGuest(Number(version))),
    ],
    [`version ${version}: a room on ${name}`, () => liveInRoom(theirs, ours, other.serverName, version)],
    [
      `version ${version}: a partition, in a room on Portico`,
      () => goApart(here, there, between, version, ways.resolves),
    ],
    [
      `version ${version}: a partition, in a room on ${name}`,
      () => goApart(there, here, between, version, ways.resolves),
    ],
  ];
  // What a server is denied is its host, so two on one host cannot be told apart.
  const access: readonly Step[] =
    hostOf(portico) === hostOf(other)
      ? []
      : [
          [`${name} is shut out of a room on Portico`, () => shutOut(ours, theirs, hostOf(other))],
          [`Portico is shut out of a room on ${name}`, () => shutOut(theirs, ours, hostOf(portico))],
        ];
  const without: readonly Step[] =
    processes > 1 ? [['a process of Portico was killed', () => goOnWithout(ours, theirs, portico)]] : [];
  const clocks: readonly Step[] = knows.appServices
    ? [[`a clock on ${name} is wrong`, () => sendAtOtherTimes(other, ours)]]
    : [];
  const erasures: readonly Step[] = ways.erases
    ? [[`an account on ${name} is erased`, () => closeAccount(other, theirs, ours, true)]]
    : [];
  const absences: readonly Step[] = ways.comesBack
    ? [
        [`${name} was away`, () => missNothing(ours, theirs, other, brief)],
        [`${name} was away for long`, () => missNothing(ours, theirs, other, long)],
      ]
    : [];
  return [
    [`Portico looks at ${name}`, () => lookAcross(ours, theirs, other.serverName)],
    [`${name} looks at Portico`, () => lookAcross(theirs, ours, portico.serverName)],
    [`Portico looks at pictures on ${name}`, () => lookAtPictures(ours, theirs, open(portico))],
    [`${name} looks at pictures on Portico`, () => lookAtPictures(theirs, ours, open(other))],
    ['devices, in a room on Portico', () => meetDevices(ours, theirs)],
    [`devices, in a room on ${name}`, () => meetDevices(theirs, ours)],
    ['a device on Portico goes', () => loseDevice(ours, theirs, portico.baseUrl)],
    [`a device on ${name} goes`, () => loseDevice(theirs, ours, other.baseUrl)],
    ['encrypted, from Portico', () => talkEncrypted(portico.baseUrl, other.baseUrl, 'a')],
    [`encrypted, from ${name}`, () => talkEncrypted(other.baseUrl, portico.baseUrl, 'b')],
    ['people, seen from Portico and back', () => followPeople(ours, theirs)],
    [`people of ${name} in a hurry`, () => hurry(ours, theirs)],
    ['people of Portico in a hurry', () => hurry(theirs, ours)],
    ['rooms of Portico', () => moveAround(ours, theirs, { hostServer: portico.serverName, knows })],
    [`rooms of ${name}`, () => moveAround(theirs, ours, { hostServer: other.serverName, knows })],
    ...access,
    ['a clock on Portico is wrong', () => sendAtOtherTimes(portico, theirs)],
    ...clocks,
    ['an account on Portico is closed', () => closeAccount(portico, ours, theirs, false)],
    [`an account on ${name} is closed`, () => closeAccount(other, theirs, ours, false)],
    ['an account on Portico is erased', () => closeAccount(portico, ours, theirs, true)],
    ...erasures,
    ...without,
    ['Portico was away', () => missNothing(theirs, ours, portico, brief)],
    ['Portico was away for long', () => missNothing(theirs, ours, portico, { ...long, ...ways.sends })],
    ...absences,
    ['a crowd on Portico', () => joinCrowd(ours, theirs, portico, crowd)],
    [`a crowd on ${name}`, () => joinCrowd(theirs, ours, other, crowd)],
    ...versions.flatMap(ofVersion),
  ];
}
