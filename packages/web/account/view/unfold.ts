import { type ComponentChild, Fragment, h } from 'preact';
import { useRef, useState } from 'preact/hooks';

type Props = {
  readonly label: string;
  /** What the button is called where its label says too little by itself. */
  readonly name?: string;
  /** What there is to see once the button is pressed, until it folds that again. */
  show(fold: () => void): ComponentChild;
};

/** A button that shows something below it. It stays where it is, for the focus to come back to. */
export function Unfold({ label, name, show }: Props): ComponentChild {
  const [isOpen, setOpen] = useState(false);
  const button = useRef<HTMLButtonElement>(null);

  function fold(): void {
    setOpen(false);
    button.current?.focus();
  }
  return h(
    Fragment,
    null,
    h(
      'button',
      {
        type: 'button',
        ref: button,
        'aria-label': name,
        'aria-expanded': isOpen,
        onClick: () => setOpen(!isOpen),
      },
      label,
    ),
    isOpen ? show(fold) : null,
  );
}
