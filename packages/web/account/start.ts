import { h, render } from 'preact';
import { App } from './app.ts';
import { createServer, type Send } from './server/server.ts';

export type Surroundings = {
  readonly root: Element;
  /** The address under which the server answers. */
  readonly base: URL;
  readonly send: Send;
  /** Has something called when the page is left. */
  readonly onLeave: (leave: () => void) => void;
};

/** Shows the page; answers what takes it away again. */
export function startAccountPage({ root, base, send, onLeave }: Surroundings): () => void {
  const server = createServer(base, send);
  root.replaceChildren();
  render(h(App, { server, onLeave }), root);
  return () => render(null, root);
}
