import { useState } from 'preact/hooks';
import type { Session } from '../server/session.ts';
import { type Action, useAction } from '../view/use-action.ts';
import { applyEdits, type Edit } from './edits.ts';
import { isSameEvents, saveEvents, type StoredEvents } from './stored-events.ts';

export type Draft = {
  /** What is kept, with what the person has changed since. */
  readonly events: StoredEvents;
  readonly isChanged: boolean;
  readonly message: string | undefined;
  readonly saving: Action;
  edit(...edits: readonly Edit[]): void;
  discard(): void;
  /** Writes it; `then` is called when it is written. */
  save(then: () => void): void;
};

const changedMeanwhile =
  'Nothing has been saved: another device has changed these settings meanwhile. Below is what is kept now, with your changes on top. Look at it, and save again.';

const saved = 'Saved.';

/** Settings that are being changed. `retarget` says where an edit belongs once other events are kept. */
export function useDraft(
  session: Session,
  start: StoredEvents,
  retarget: (edit: Edit, events: StoredEvents) => Edit = (edit) => edit,
): Draft {
  const [seen, setSeen] = useState(start);
  const [edits, setEdits] = useState<readonly Edit[]>([]);
  const [message, setMessage] = useState<string>();
  const saving = useAction();
  const events = applyEdits(seen, edits);
  const isChanged = !isSameEvents(seen, events);

  async function write(then: () => void): Promise<void> {
    setMessage(undefined);
    const outcome = await saveEvents(session, seen, events);
    setSeen(outcome.events);
    if (outcome.kind === 'changed') {
      setEdits((all) => all.map((edit) => retarget(edit, outcome.events)));
      setMessage(changedMeanwhile);
      return;
    }
    // What was changed while it was being saved is still to be.
    setEdits((all) => all.slice(edits.length));
    setMessage(saved);
    then();
  }
  return {
    events,
    isChanged,
    message: isChanged && message === saved ? undefined : message,
    saving,
    edit(...more) {
      setEdits((all) => [...all, ...more]);
      setMessage(undefined);
    },
    discard() {
      setEdits([]);
      setMessage(undefined);
    },
    save: (then) => saving.run(() => write(then)),
  };
}
