import { type ComponentChild, h } from 'preact';
import { useState } from 'preact/hooks';
import type { Session } from '../server/session.ts';
import { Problem, Status } from '../view/messages.ts';
import { Section } from '../view/section.ts';
import { useAction } from '../view/use-action.ts';

/** Hands a file to the browser, which asks where to put it. */
function keepFile(file: Blob, name: string): void {
  const address = URL.createObjectURL(file);
  const link = document.createElement('a');
  link.href = address;
  link.download = name;
  link.click();
  // The browser has taken it by then.
  setTimeout(() => URL.revokeObjectURL(address), 60_000);
}

export function Export({ session }: { readonly session: Session }): ComponentChild {
  const [message, setMessage] = useState<string>();
  const { isBusy, problem, run } = useAction();

  async function fetchExport(): Promise<void> {
    setMessage(undefined);
    const file = await session.fetchFile({ path: '_portico/client/v1/privacy/export' });
    keepFile(file, 'my-account.zip');
    setMessage('Here it is: your browser has the file.');
  }
  return h(
    Section,
    {
      title: 'What the server keeps about me',
      hint: 'A zip file with everything: your settings, devices, rooms, what you wrote and uploaded. It may be large, and take a while.',
    },
    h(
      'button',
      { type: 'button', disabled: isBusy, onClick: () => run(fetchExport) },
      isBusy ? 'Fetching it …' : 'Get a copy',
    ),
    h(Status, { text: message }),
    h(Problem, { text: problem }),
  );
}
