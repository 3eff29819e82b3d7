import type { PushAction } from './rule.ts';

/** What the rule that matched says about an event. */
export type Outcome = {
  readonly ruleId: string;
  readonly notify: boolean;
  /** Only what notifies is a highlight. */
  readonly highlight: boolean;
  readonly sound: string | undefined;
  /** Without those that servers "MUST ignore": `dont_notify` and `coalesce`. */
  readonly actions: readonly PushAction[];
};

/** {@link https://spec.matrix.org/v1.19/client-server-api/#actions} */
export function outcomeOf(ruleId: string, given: readonly PushAction[]): Outcome {
  const actions = given.filter((action) => action !== 'dont_notify' && action !== 'coalesce');
  const notify = actions.includes('notify');
  let highlight = false;
  let sound: string | undefined;
  for (const action of actions) {
    if (typeof action === 'string') continue;
    const { set_tweak: tweak, value } = action;
    // "If a `highlight` tweak is given with no value, its value is defined to be `true`."
    if (tweak === 'highlight') highlight = value === undefined || value === true;
    if (tweak === 'sound' && typeof value === 'string') sound = value;
  }
  return Object.freeze({ ruleId, notify, highlight: notify && highlight, sound, actions });
}
