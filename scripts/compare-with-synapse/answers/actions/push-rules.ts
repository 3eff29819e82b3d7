import { anyone } from '../choices.ts';
import type { JsonObject } from '../json.ts';
import type { World } from '../world.ts';
import type { Action } from './action.ts';

const base = ['v3', 'pushrules', 'global'];
const sound = { set_tweak: 'sound', value: 'default' };
const highlight = { set_tweak: 'highlight' };

type Change = readonly [method: 'PUT' | 'DELETE', rule: readonly string[], body?: JsonObject];

function someChange(world: World): Change {
  const { id: roomId } = world.pick(world.rooms);
  // Of members, Synapse asks only the rules of whose membership it is.
  const aboutRoom = [
    { kind: 'event_match', key: 'room_id', pattern: roomId },
    { kind: 'event_match', key: 'type', pattern: 'm.room.message' },
  ];
  const enabled = world.pick([
    ['override', '.m.rule.suppress_notices'],
    ['override', '.m.rule.master'],
    ['override', '.m.rule.reaction'],
    ['underride', '.m.rule.message'],
    ['content', 'banana'],
  ]);
  const acted = world.pick([
    ['override', '.m.rule.is_user_mention'],
    ['override', '.m.rule.is_room_mention'],
    ['underride', '.m.rule.message'],
    ['content', 'banana'],
  ]);
  const deleted = world.pick([
    ['room', roomId],
    ['content', 'banana'],
    ['override', 'mine'],
    ['override', '.m.rule.master'],
  ]);
  return world.pick<Change>([
    ['PUT', ['room', roomId], { actions: [] }],
    ['PUT', ['room', roomId], { actions: ['notify', sound] }],
    [
      'PUT',
      ['content', world.pick(['banana', 'other'])],
      { actions: ['notify', highlight], pattern: world.pick(['banana', 'hel*']) },
    ],
    ['PUT', ['override', 'mine'], { actions: world.pick([[], ['notify']]), conditions: aboutRoom }],
    ['PUT', [...enabled, 'enabled'], { enabled: world.chance(60) }],
    ['PUT', [...acted, 'actions'], { actions: world.pick([['notify'], [], ['notify', highlight]]) }],
    ['DELETE', deleted],
  ]);
}

export const changePushRules: Action = async (world) => {
  const [method, rule, body] = someChange(world);
  await world.ask(anyone(world), method, [...base, ...rule], body && { body });
};
