import { type ComponentChild, h } from 'preact';
import { useId, useRef, useState } from 'preact/hooks';
import type { Session } from '../server/session.ts';
import { Done, type Said } from '../view/messages.ts';
import { Section } from '../view/section.ts';
import { TextField } from '../view/text-field.ts';
import { TickBox } from '../view/tick-box.ts';
import { Unfold } from '../view/unfold.ts';
import { lostKeys } from './lost-keys.ts';
import { PasswordForm } from './password-form.ts';

type Props = {
  readonly session: Session;
  /** Called when the other devices have been logged out with it. */
  onOthersEnded(): void;
};

export function ChangePassword({ session, onOthersEnded }: Props): ComponentChild {
  const [said, say] = useState<Said>();
  return h(
    Section,
    { title: 'My password', hint: 'What you log in with, here and in every app.' },
    h(Done, { said }),
    h(Unfold, {
      label: 'Change my password …',
      show: (fold) =>
        h(ChangeForm, {
          session,
          onKeep: fold,
          onDone(endsOthers) {
            fold();
            say({
              text: `Your password is changed.${endsOthers ? ' All your other devices are logged out.' : ''}`,
            });
            if (endsOthers) onOthersEnded();
          },
        }),
    }),
  );
}

type FormProps = { readonly session: Session; onDone(endsOthers: boolean): void; onKeep(): void };

/** {@link https://spec.matrix.org/v1.19/client-server-api/#post_matrixclientv3accountpassword} */
function ChangeForm({ session, onDone, onKeep }: FormProps): ComponentChild {
  const [wanted, setWanted] = useState('');
  const [again, setAgain] = useState('');
  const [isFlawed, setFlawed] = useState(false);
  const [endsOthers, setEndsOthers] = useState(false);
  const place = useRef<HTMLInputElement>(null);
  const problemId = useId();
  const field = { type: 'password', autocomplete: 'new-password', isRequired: true } as const;
  return h(
    PasswordForm,
    {
      session,
      question: {
        method: 'POST',
        path: '_matrix/client/v3/account/password',
        body: { new_password: wanted, logout_devices: endsOthers },
      },
      flaw: wanted === again ? undefined : 'The two new passwords are not the same. Type them again.',
      words: {
        go: 'Change my password',
        going: 'Changing …',
        keep: 'Keep the old one',
        password: 'Your password until now',
      },
      isDangerous: endsOthers,
      onDone: () => onDone(endsOthers),
      onKeep,
      problemId,
      onFlawed() {
        setWanted('');
        setAgain('');
        setFlawed(true);
        place.current?.focus();
      },
    },
    h(TextField, {
      ...field,
      label: 'New password',
      value: wanted,
      onInput(typed) {
        setWanted(typed);
        setFlawed(false);
      },
      flawId: isFlawed ? problemId : undefined,
      place,
    }),
    h(TextField, { ...field, label: 'The new password again', value: again, onInput: setAgain }),
    h(TickBox, {
      label: 'Log out all my other devices',
      hint: `Do so if somebody else may know your password: whoever is logged in stays so otherwise. ${lostKeys}`,
      isTicked: endsOthers,
      onTick: setEndsOthers,
    }),
  );
}
