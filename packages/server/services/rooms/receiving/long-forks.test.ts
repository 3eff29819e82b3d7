import assert from 'node:assert/strict';
import { test } from 'node:test';
import { longestTurn } from '@portico/testkit/longest-turn.ts';
import { alice, bob, deliver, newPdus, partition } from '@portico/testkit/partition.ts';

/** Levels of so many people take a while to compare with those of before. */
const people = 2000;
const changes = 80;

for (const version of ['11', '12']) {
  test(`others have their turn while a long fork is resolved (version ${version})`, async (context) => {
    const { a, b, roomId } = await partition(context, version);
    const since = b.db.currentPosition();
    for (let change = 0; change < changes; change++) {
      const others = Object.fromEntries(Array.from({ length: people }, (_, n) => [`@somebody-${n}:c`, change % 40]));
      const owner = version === '12' ? {} : { [alice.userId]: 100 };
      const users = { ...others, ...owner, [bob.userId]: 50 };
      await a.rooms.setState(alice, roomId, 'm.room.power_levels', '', { users });
    }
    await b.rooms.send(bob, roomId, 'm.room.message', '1', { body: 'on the other branch' });
    const [message] = await newPdus(b, roomId, since);
    assert.ok(message);
    const longest = await longestTurn(async () => {
      assert.deepEqual(await deliver([message], a, roomId, version), ['accepted']);
    });
    assert.ok(longest < 120, `${longest} ms at once`);
  });
}
