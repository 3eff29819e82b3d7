import { type Account, charge, debtAt, newAccount, waitAt } from './shares.ts';

/** What the events of servers have cost in rooms. Of those that have cost next to nothing, which are nearly all, nothing is kept. */
export interface Accounts {
  find(roomNid: number, server: string): Account | undefined;
  charge(roomNid: number, server: string, cost: number, events: number): void;
  /** How many have to wait, once for each room. */
  overdrawn(): number;
  readonly now: () => number;
}

const mostAccounts = 1000;
/** Milliseconds. */
const nothing = 1;

/** `own`: the name of this server, whose people wait for nobody's forks. */
export function createAccounts(own: string, now: () => number = () => performance.now()): Accounts {
  const accounts = new Map<string, Account>();
  const keyOf = (roomNid: number, server: string) => `${roomNid} ${server}`;

  function forgetSome(): void {
    for (const [key, account] of accounts) if (debtAt(account, now()) === 0) accounts.delete(key);
    while (accounts.size > mostAccounts) accounts.delete(accounts.keys().next().value ?? '');
  }

  return {
    now,
    find: (roomNid, server) => accounts.get(keyOf(roomNid, server)),
    charge(roomNid, server, cost, events) {
      const key = keyOf(roomNid, server);
      const account = accounts.get(key);
      if (server === own || (account === undefined && cost < nothing)) return;
      accounts.delete(key);
      accounts.set(key, charge(account ?? newAccount, cost, events, now()));
      if (accounts.size > mostAccounts) forgetSome();
    },
    overdrawn: () => [...accounts.values()].filter((account) => waitAt(account, now()) > 0).length,
  };
}
