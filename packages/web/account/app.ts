import { type ComponentChild, h } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import { AccountPages } from './account-pages.ts';
import { LogInPage } from './log-in-page.ts';
import type { Errand } from './server/errand.ts';
import { logInByToken, type LoginOutcome } from './server/log-in.ts';
import type { Place, Return } from './server/return.ts';
import type { Server } from './server/server.ts';
import { createSession, type Session } from './server/session.ts';
import { Waiting } from './view/messages.ts';

type Props = {
  readonly server: Server;
  readonly place: Place;
  /** How somebody is back who went to log in elsewhere. */
  readonly returned: Return | undefined;
  readonly errand: Errand | undefined;
  readonly onLeave: (leave: () => void) => void;
};

/** The whole page: the log-in, or what one can do once logged in. */
export function App({ server, place, returned, errand, onLeave }: Props): ComponentChild {
  const [session, setSession] = useState<Session>();
  const [message, setMessage] = useState(returned?.kind === 'stray' ? stray : undefined);
  const [isComing, setComing] = useState(returned?.kind === 'token');
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

  useEffect(() => {
    if (returned?.kind !== 'token') return;
    const come = async (): Promise<void> => {
      const outcome = await logInByToken(server, returned.token);
      if (outcome.kind === 'in') begin(outcome);
      else setMessage(outcome.reason);
      setComing(false);
    };
    void come();
  }, []);

  function begin(login: Extract<LoginOutcome, { kind: 'in' }>): void {
    const begun: Session = createSession(server, login, () => {
      // What was still under way when somebody logged out says nothing about who has logged in since.
      if (leaving.session === begun) end('You have been logged out. Please log in again.');
    });
    leaving.session = begun;
    setMessage(undefined);
    setSession(begun);
  }

  if (session !== undefined) return h(AccountPages, { session, errand, onEnd: end });
  if (isComing) return h('main', { class: 'alone' }, h(Waiting, { problem: undefined, onRetry: () => undefined }));
  return h(LogInPage, { server, place, message, onLogin: begin });
}

const stray = 'That login was not begun on this page, and counts for nothing. Log in here.';
