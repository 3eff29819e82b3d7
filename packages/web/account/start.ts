import { h, render } from 'preact';
import { App } from './app.ts';
import { readErrand } from './server/errand.ts';
import { type Place, takeReturn } from './server/return.ts';
import { createServer, type Send } from './server/server.ts';

export type Surroundings = {
  readonly root: Element;
  /** The address under which the server answers. */
  readonly base: URL;
  readonly send: Send;
  readonly place: Place;
  /** Has something called when the page is left. */
  readonly onLeave: (leave: () => void) => void;
};

/** Shows the page; answers what takes it away again. */
export function startAccountPage({ root, base, send, place, onLeave }: Surroundings): () => void {
  const server = createServer(base, send);
  root.replaceChildren();
  render(h(App, { server, place, returned: takeReturn(place), errand: readErrand(place.address), onLeave }), root);
  return () => render(null, root);
}
