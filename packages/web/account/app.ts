import { type ComponentChild, h } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import { AccountPages } from './account-pages.ts';
import { LogInPage } from './log-in-page.ts';
import type { Server } from './server/server.ts';
import { createSession, type Session } from './server/session.ts';

type Props = { readonly server: Server; readonly onLeave: (leave: () => void) => void };

/** The whole page: the log-in, or what one can do once logged in. */
export function App({ server, onLeave }: Props): ComponentChild {
  const [session, setSession] = useState<Session>();
  const [message, setMessage] = useState<string>();
  const [leaving] = useState<{ session: Session | undefined }>({ session: undefined });

  function end(why: string): void {
    leaving.session = undefined;
    setSession(undefined);
    setMessage(why);
  }
  // The token is gone with the page: what nobody can use any more is not to stay among the devices.
  useEffect(() => {
    onLeave(() => {
      leaving.session?.leave();
      end('You have been logged out, since you left the page.');
    });
  }, []);

  if (session === undefined) {
    return h(LogInPage, {
      server,
      message,
      onLogin(login) {
        const begun: Session = createSession(server, login, () => {
          // What was still under way when somebody logged out says nothing about who has logged in since.
          if (leaving.session === begun) end('You have been logged out. Please log in again.');
        });
        leaving.session = begun;
        setMessage(undefined);
        setSession(begun);
      },
    });
  }
  return h(AccountPages, { session, onEnd: end });
}
