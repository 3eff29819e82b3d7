import { type ComponentChild, h } from 'preact';
import { useEffect, useRef, useState } from 'preact/hooks';
import { ProvidersList } from './providers-list.ts';
import { logIn, type LoginOutcome, readOffer } from './server/log-in.ts';
import type { Place } from './server/return.ts';
import type { Server } from './server/server.ts';
import { Problem, Status, Waiting } from './view/messages.ts';
import { TextField } from './view/text-field.ts';
import { useAction } from './view/use-action.ts';
import { useLoaded } from './view/use-loaded.ts';

type Props = {
  readonly server: Server;
  readonly place: Place;
  /** Why somebody who was logged in is here again. */
  readonly message: string | undefined;
  onLogin(login: Extract<LoginOutcome, { kind: 'in' }>): void;
};

export function LogInPage({ server, place, message, onLogin }: Props): ComponentChild {
  const offer = useLoaded(() => readOffer(server));
  const heading = useRef<HTMLHeadingElement>(null);
  useEffect(() => heading.current?.focus(), []);
  return h(
    'main',
    { class: 'alone' },
    h('h1', { tabIndex: -1, ref: heading }, 'Your account'),
    h(
      'p',
      null,
      'Who may see when you are online, who may invite you, and what the server keeps about you: here you decide it.',
    ),
    h(Status, { text: message }),
    offer.value === undefined
      ? h(Waiting, { problem: offer.problem, onRetry: offer.reload })
      : [
          offer.value.passwords ? h(LogInForm, { server, onLogin }) : null,
          h(ProvidersList, { server, place, providers: offer.value.providers }),
          offer.value.passwords || offer.value.providers.length > 0
            ? null
            : h(Problem, {
                text: 'This server does not let people log in with a password, and this page knows no other way.',
              }),
        ],
  );
}

function LogInForm({ server, onLogin }: Omit<Props, 'message' | 'place'>): ComponentChild {
  const [name, setName] = useState('');
  const [password, setPassword] = useState('');
  const [refusal, setRefusal] = useState<string>();
  const { isBusy, problem, run } = useAction();

  async function submit(): Promise<void> {
    setRefusal(undefined);
    const outcome = await logIn(server, name.trim(), password);
    if (outcome.kind === 'in') {
      onLogin(outcome);
      return;
    }
    setPassword('');
    setRefusal(outcome.reason);
  }
  return h(
    'form',
    {
      onSubmit(event: Event) {
        event.preventDefault();
        run(submit);
      },
    },
    h(TextField, {
      label: 'User name or email address',
      value: name,
      onInput: setName,
      autocomplete: 'username',
      isRequired: true,
    }),
    h(TextField, {
      label: 'Password',
      type: 'password',
      value: password,
      onInput: setPassword,
      autocomplete: 'current-password',
      isRequired: true,
    }),
    h(Problem, { text: refusal ?? problem }),
    h('button', { class: 'main', disabled: isBusy }, isBusy ? 'Logging in …' : 'Log in'),
  );
}
