import assert from 'node:assert/strict';
import { until } from '@portico/testkit/until.ts';
import { JSDOM } from 'jsdom';
import type { Send } from '../account/server/server.ts';
import { startAccountPage } from '../account/start.ts';

/** The account page as a person has it before them: found by what it says, not by how it is made. */
export interface OpenPage {
  /** What can be read now. */
  text(): string;
  /** Waits until something can be read. */
  reads(words: string | RegExp): Promise<void>;
  /** Types into the field of a label, in the part of the page with a heading if one is given. */
  type(label: string, text: string, part?: string): Promise<void>;
  press(name: string, part?: string): Promise<void>;
  /** Chooses a radio button, or ticks a box. */
  tick(label: string): Promise<void>;
  choose(label: string, option: string): Promise<void>;
  /** Everything in a part of the page. */
  part(heading: string): Promise<Element>;
  readonly document: Document;
  /** Where a link leads. */
  link(name: string): Promise<string>;
  /** As if it were closed, or reloaded. */
  leave(): void;
  close(): void;
}

const tidy = (text: string | null): string => (text ?? '').replaceAll(/\s+/g, ' ').trim();

/** How questions reach the server. A browser sends no such header of its own, and Node.js cannot outlive its page. */
const usual: Send = (address, { cache: _cache, keepalive: _keepalive, ...request }) => fetch(address, request);

/** What a window remembers from one page to the next. */
export type Memory = Pick<Storage, 'getItem' | 'setItem' | 'removeItem'>;

export function createMemory(): Memory {
  const values = new Map<string, string>();
  return {
    getItem: (name) => values.get(name) ?? null,
    setItem: (name, value) => void values.set(name, value),
    removeItem: (name) => void values.delete(name),
  };
}

/** What is around the page. */
export type Surrounding = {
  readonly memory?: Memory;
  /** Sees what comes with answers, as a browser does. */
  readonly onAnswer?: (headers: Headers) => void;
};

/** Opens the page on a server that answers below an address. What it asks may be held up on the way. */
export function openPage(
  base: string,
  onTheWay: (address: URL, request: RequestInit) => Promise<void> | void = () => undefined,
  { memory = createMemory(), onAnswer = () => undefined }: Surrounding = {},
): OpenPage {
  const { window } = new JSDOM('<!doctype html><html lang="en"><body><div id="page"></div></body></html>', {
    url: base,
  });
  const { document } = window;
  const root = document.querySelector('#page');
  assert.ok(root !== null);
  // The library makes its elements with the document of the browser.
  const before = Object.getOwnPropertyDescriptor(globalThis, 'document');
  Object.defineProperty(globalThis, 'document', { value: document, configurable: true, writable: true });
  const leaves: (() => void)[] = [];
  const stop = startAccountPage({
    root,
    base: new URL('.', base),
    async send(address, request) {
      await onTheWay(address, request);
      const response = await usual(address, request);
      onAnswer(response.headers);
      return response;
    },
    place: {
      address: new URL(base),
      show: (address) => window.history.replaceState(null, '', address),
      memory,
      random: () => `random-${Math.trunc(performance.now() * 1000)}`,
    },
    onLeave: (leave) => leaves.push(leave),
  });

  const shown = (element: Element): boolean => element.closest('[hidden]') === null;
  const all = (selector: string, within: ParentNode = document): readonly Element[] =>
    [...within.querySelectorAll(selector)].filter(shown);
  const text = (): string =>
    all('h1, h3, h4, p, li, legend, summary, strong')
      .map(({ textContent }) => tidy(textContent))
      .join('\n');

  function partNow(heading: string): Element | undefined {
    const found = all('section, fieldset').find((part) =>
      tidy(part.querySelector('h3, legend')?.textContent ?? '').startsWith(heading),
    );
    return found;
  }
  const part = (heading: string): Promise<Element> => until(() => partNow(heading), `there is “${heading}”`);
  const place = async (heading: string | undefined): Promise<ParentNode> =>
    heading === undefined ? document : part(heading);

  function nameOf(element: Element): string {
    return tidy(element.getAttribute('aria-label') ?? element.textContent);
  }
  function fieldOf(label: Element): HTMLInputElement | HTMLSelectElement | undefined {
    const id = label.getAttribute('for');
    const field = id === null ? label.querySelector('input, select') : document.getElementById(id);
    return (field as HTMLInputElement | HTMLSelectElement | null) ?? undefined;
  }
  async function field(label: string, heading?: string): Promise<HTMLInputElement | HTMLSelectElement> {
    const within = await place(heading);
    return until(() => {
      const found = all('label', within).find((each) => tidy(each.textContent).startsWith(label));
      return found && fieldOf(found);
    }, `there is a field “${label}”`);
  }
  const fire = (element: Element, type: string): boolean =>
    element.dispatchEvent(new window.Event(type, { bubbles: true, cancelable: true }));

  return {
    document,
    text,
    part,
    async reads(words) {
      await until(
        () => (typeof words === 'string' ? text().includes(words) : words.test(text())),
        `it says ${words}; it said\n${text()}`,
      );
    },
    async type(label, typed, heading) {
      const input = await field(label, heading);
      input.value = typed;
      fire(input, 'input');
    },
    async press(name, heading) {
      const within = await place(heading);
      const button = await until(
        () => all('button', within).find((each) => nameOf(each) === name && !(each as HTMLButtonElement).disabled),
        `there is a button “${name}” that can be pressed; it said\n${text()}`,
      );
      (button as HTMLButtonElement).click();
    },
    async link(name) {
      const found = await until(
        () => all('a').find((each) => nameOf(each) === name),
        `there is a link “${name}”; it said\n${text()}`,
      );
      return (found as HTMLAnchorElement).href;
    },
    async tick(label) {
      ((await field(label)) as HTMLInputElement).click();
    },
    async choose(label, option) {
      const select = (await field(label)) as HTMLSelectElement;
      const found = [...select.options].find((each) => tidy(each.textContent) === option);
      assert.ok(found, option);
      select.value = found.value;
      fire(select, 'change');
    },
    leave() {
      for (const leave of leaves) leave();
    },
    close() {
      stop();
      window.close();
      if (before === undefined) Reflect.deleteProperty(globalThis, 'document');
      else Object.defineProperty(globalThis, 'document', before);
    },
  };
}
