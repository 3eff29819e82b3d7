import { type ComponentChild, h } from 'preact';
import { useEffect, useRef, useState } from 'preact/hooks';
import type { Session } from '../server/session.ts';
import { Problem } from '../view/messages.ts';
import { Section } from '../view/section.ts';
import { useAction } from '../view/use-action.ts';

export function Export({ session }: { readonly session: Session }): ComponentChild {
  const [file, setFile] = useState<Blob>();
  const { isBusy, problem, run } = useAction();

  async function fetchExport(): Promise<void> {
    setFile(undefined);
    setFile(await session.fetchFile({ path: '_portico/client/v1/privacy/export' }));
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
    h(Problem, { text: problem }),
    file === undefined ? null : h(FileLink, { file }),
  );
}

/** Hands a file to the browser, which asks where to put it; the link is for browsers that want a person to do it. */
function FileLink({ file }: { readonly file: Blob }): ComponentChild {
  const [address, setAddress] = useState<string>();
  const link = useRef<HTMLAnchorElement>(null);
  useEffect(() => {
    const made = URL.createObjectURL(file);
    setAddress(made);
    return () => URL.revokeObjectURL(made);
  }, [file]);
  useEffect(() => {
    if (address !== undefined) link.current?.click();
  }, [address]);
  if (address === undefined) return null;
  return h(
    'p',
    { role: 'status', class: 'status' },
    'Here it is. If your browser has not saved it by itself: ',
    h('a', { href: address, download: 'my-account.zip', ref: link }, 'save my-account.zip'),
    '.',
  );
}
