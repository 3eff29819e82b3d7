import { type ComponentChild, h } from 'preact';
import { useState } from 'preact/hooks';
import { textOf } from '../server/json.ts';
import type { Provider } from '../server/log-in.ts';
import type { Session } from '../server/session.ts';
import { type Link, linksPath, readWaysIn } from '../server/ways-in.ts';
import { Done, type Said, Waiting } from '../view/messages.ts';
import { Section } from '../view/section.ts';
import { Unfold } from '../view/unfold.ts';
import { useLoaded } from '../view/use-loaded.ts';
import { PasswordForm } from './password-form.ts';

/** By way of which services somebody logs in. Nothing, where there are none. */
export function LinksSection({ session }: { readonly session: Session }): ComponentChild {
  const { value, problem, reload } = useLoaded(() => readWaysIn(session));
  const [said, say] = useState<Said>();
  if (value?.providers.length === 0) return null;
  const nameOf = (id: string): string => value?.providers.find((provider) => provider.id === id)?.name ?? id;

  return h(
    Section,
    { title: 'Where else I log in', hint: 'Whoever you are there gets into this account.' },
    h(Done, { said }),
    value === undefined
      ? h(Waiting, { problem, onRetry: reload })
      : [
          value.links.length === 0
            ? h('p', null, 'Nowhere: you log in with your password.')
            : h(
                'ul',
                { class: 'entries' },
                value.links.map((link) =>
                  h(LinkRow, {
                    key: `${link.provider} ${link.subject}`,
                    session,
                    link,
                    name: nameOf(link.provider),
                    onGone() {
                      say({ text: `${nameOf(link.provider)} does not log you in any more.` });
                      reload();
                    },
                  }),
                ),
              ),
          value.providers.map((provider) => h(AddLink, { key: provider.id, session, provider, onBack: reload })),
        ],
  );
}

type RowProps = { readonly session: Session; readonly link: Link; readonly name: string; onGone(): void };

function LinkRow({ session, link, name, onGone }: RowProps): ComponentChild {
  const path = `${linksPath}/${encodeURIComponent(link.provider)}`;
  return h(
    'li',
    null,
    h('p', null, `${name}, as ${link.subject}`),
    h(Unfold, {
      label: 'Take away …',
      name: `Take away ${name} (${link.subject})`,
      show: (fold) =>
        h(PasswordForm, {
          session,
          question: { method: 'DELETE', path, body: { subject: link.subject } },
          words: { go: `Take away ${name}`, going: 'Taking away …', keep: 'Keep it' },
          onKeep: fold,
          onDone() {
            fold();
            onGone();
          },
        }),
    }),
  );
}

type AddProps = { readonly session: Session; readonly provider: Provider; onBack(): void };

function AddLink({ session, provider: { id, name }, onBack }: AddProps): ComponentChild {
  const [way, setWay] = useState<string>();
  return h(Unfold, {
    label: `Log in with ${name} as well …`,
    show: (fold) =>
      way === undefined
        ? h(PasswordForm, {
            session,
            question: { method: 'POST', path: `${linksPath}/${encodeURIComponent(id)}`, body: {} },
            words: { go: 'Go on', going: 'One moment …', keep: 'Leave it' },
            isDangerous: false,
            onKeep: fold,
            onDone: (answer) => setWay(textOf(answer['url'])),
          })
        : h(
            'div',
            { class: 'inner' },
            h('p', null, h('a', { href: way, target: '_blank', rel: 'noopener' }, `Show who you are at ${name}`)),
            h(
              'button',
              {
                type: 'button',
                onClick() {
                  setWay(undefined);
                  fold();
                  onBack();
                },
              },
              'I have done that',
            ),
          ),
  });
}
