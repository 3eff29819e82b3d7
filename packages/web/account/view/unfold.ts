import { type ComponentChild, Fragment, h } from 'preact';
import { useEffect, useRef, useState } from 'preact/hooks';

type Props = {
  readonly label: string;
  /** What the button is called where its label says too little by itself. */
  readonly name?: string;
  /** Whether it is there before anybody presses the button: they were led here for it. */
  readonly isFoundOpen?: boolean;
  /** What there is to see once the button is pressed, until it folds that again. */
  show(fold: () => void): ComponentChild;
};

/** A button that shows something below it. It stays where it is, for the focus to come back to. */
export function Unfold({ label, name, isFoundOpen = false, show }: Props): ComponentChild {
  const [isOpen, setOpen] = useState(isFoundOpen);
  const button = useRef<HTMLButtonElement>(null);

  // After the heading of the page, which takes it first.
  useEffect(() => {
    if (isFoundOpen) button.current?.focus();
  }, []);

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
