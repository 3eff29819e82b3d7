import { setImmediate as nextTurn } from 'node:timers/promises';
import type { RoomVersionRules } from '@portico/protocol';
import type { ReceivedEvent } from '../../rooms/receiving/received-event.ts';
import type { ListedObject } from '../client/read-lists.ts';
import type { CheckPdus } from './check-pdus.ts';

/** Events that are checked together. */
const perCheck = 50;

export interface StateCheck {
  /** Has some of the state checked while the rest of it is still on its way. */
  take(objects: readonly ListedObject[]): Promise<void>;
  /** What has passed, each event once. */
  finish(): Promise<{ readonly state: readonly ReceivedEvent[]; readonly authChain: readonly ReceivedEvent[] }>;
}

/**
 * Checks the state of a room that is being joined. Nobody waits for one server's keys before another one is asked for its
 * own: a large room has people of hundreds of servers, some of them gone.
 */
export function createStateCheck(checkPdus: CheckPdus, rules: RoomVersionRules): StateCheck {
  const state = new Map<string, ReceivedEvent>();
  const authChain = new Map<string, ReceivedEvent>();
  const checks: Promise<void>[] = [];

  async function check(batch: readonly ListedObject[]): Promise<void> {
    const checked = await checkPdus(
      rules,
      batch.map(({ value }) => value),
    );
    for (const [index, each] of checked.entries()) {
      if (each.kind !== 'ok') continue;
      const { event, pieces } = each;
      (batch[index]?.list === 'state' ? state : authChain).set(event.eventId, { event, pieces });
    }
  }

  return {
    async take(objects) {
      for (let start = 0; start < objects.length; start += perCheck) {
        const running = check(objects.slice(start, start + perCheck));
        // Whoever finishes hears of it; until then nobody listens.
        running.catch(() => undefined);
        checks.push(running);
        await nextTurn();
      }
    },
    async finish() {
      await Promise.all(checks);
      return { state: [...state.values()], authChain: [...authChain.values()] };
    },
  };
}
