import type { Sender } from './sender.ts';

type Row = { readonly locked: number; readonly suspended: number };

/** What a sender carries of what an administrator did about the account. Nothing can be done when locked, so that counts first. */
export function standingOf({ locked, suspended }: Row): Pick<Sender, 'standing'> {
  if (locked === 1) return { standing: 'locked' };
  return suspended === 1 ? { standing: 'suspended' } : {};
}
