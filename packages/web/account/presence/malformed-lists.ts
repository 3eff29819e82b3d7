import { type ComponentChild, h } from 'preact';
import type { Edit } from '../lists/edits.ts';
import type { SharingList } from './sharing.ts';

type Props = {
  readonly type: string;
  readonly lists: readonly SharingList[];
  edit(...edits: readonly Edit[]): void;
};

const titles: Readonly<Record<SharingList, string>> = {
  allowed_users: 'people and rooms who always see you',
  denied_users: 'people who never see you, and rooms that do not count',
};

/** Lists that are none: nobody sees anything then, until a person says what they mean. */
export function MalformedLists({ type, lists, edit }: Props): ComponentChild {
  return lists.map((list) =>
    h(
      'div',
      { class: 'problem', key: list },
      h(
        'p',
        null,
        `Another app wrote something instead of the list of ${titles[list]} that cannot be understood. To be on the safe side, nobody sees you. `,
      ),
      h(
        'button',
        { type: 'button', onClick: () => edit({ type, kind: 'set', name: list, value: [] }) },
        'Begin that list anew',
      ),
    ),
  );
}
