import assert from 'node:assert/strict';
import { after, before, describe } from 'node:test';
import { startTestServer, type TestServer } from '@portico/testkit/server.ts';
import { createPeople, type People, type Person } from './person.ts';
import { Preset, type IStartClientOpts } from './sdk.ts';

/** What a suite plays on: a server and two people who use it. */
export type Stage = {
  readonly server: TestServer;
  readonly people: People;
  readonly alice: Person;
  readonly bob: Person;
  /** A room with both in it, which both clients have. */
  sharedRoom(preset?: Preset): Promise<string>;
};

async function sharedRoom(alice: Person, bob: Person, preset = Preset.PublicChat): Promise<string> {
  const { room_id: roomId } = await alice.client.createRoom({ preset });
  if (preset !== Preset.PublicChat) await alice.client.invite(roomId, bob.userId);
  await bob.client.joinRoom(roomId);
  await Promise.all([alice.inRoom(roomId), bob.inRoom(roomId)]);
  const isThere = () => alice.client.getRoom(roomId)?.getMember(bob.userId)?.membership === 'join';
  await alice.until('bob in the room', isThere);
  return roomId;
}

/** A suite on each engine. The stage is there while its tests run. */
export function describeOnStage(title: string, tests: (stage: Stage) => void, options?: IStartClientOpts): void {
  for (const engine of ['sqlite', 'postgres'] as const) {
    describe(`${title} (${engine})`, () => {
      let set: Omit<Stage, 'sharedRoom'> | undefined;
      const current = () => {
        assert.ok(set, 'the stage is set before the tests');
        return set;
      };
      before(async () => {
        const server = await startTestServer({ engine });
        const people = createPeople(() => server.baseUrl);
        const [alice, bob] = await Promise.all([people.arrive('alice', options), people.arrive('bob', options)]);
        set = { server, people, alice, bob };
      });
      after(async () => {
        const { server, people } = current();
        people.stopAll();
        await server.close();
        assert.deepEqual(server.errors, []);
      });
      tests({
        get server() {
          return current().server;
        },
        get people() {
          return current().people;
        },
        get alice() {
          return current().alice;
        },
        get bob() {
          return current().bob;
        },
        sharedRoom: (preset) => sharedRoom(current().alice, current().bob, preset),
      });
    });
  }
}
