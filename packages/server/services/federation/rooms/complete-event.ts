import type { EventSigner } from '@portico/protocol';
import { completeTemplate, type MemberEventWanted } from './remote-template.ts';
import { UnusableAnswer } from './through-servers.ts';

export type CompleteEvent = (
  template: Parameters<typeof completeTemplate>[0],
  wanted: MemberEventWanted,
) => NonNullable<ReturnType<typeof completeTemplate>>;

type Dependencies = { readonly signer: EventSigner; readonly now: () => number; readonly randomId: () => string };

/** Makes what somebody wants of another server's template. Throws `UnusableAnswer` if the template is of no use. */
export function createCompleteEvent({ signer, now, randomId }: Dependencies): CompleteEvent {
  return (template, wanted) => {
    const made = completeTemplate(template, wanted, { signer, now: now(), randomId });
    if (made === undefined) throw new UnusableAnswer('The template of the event is of no use');
    return made;
  };
}
