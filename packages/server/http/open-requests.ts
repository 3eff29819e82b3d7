/** The requests whose handlers want to know when nobody waits for them any more. */
export interface OpenRequests {
  open(): AbortController;
  /** Nobody waits for the answer any more: it is with the client, or the client has gone. */
  closed(controller: AbortController, how: { readonly isAnswered: boolean }): void;
  /** Aborts all of them and those that come: the server shuts down. */
  shutDown(): void;
}

/** Why a request's signal is aborted. */
export const clientGone = 'client-gone';
export const shuttingDown = 'shutting-down';

export function createOpenRequests(): OpenRequests {
  const controllers = new Set<AbortController>();
  let isShuttingDown = false;
  return {
    open() {
      const controller = new AbortController();
      if (isShuttingDown) controller.abort(shuttingDown);
      else controllers.add(controller);
      return controller;
    },
    closed(controller, { isAnswered }) {
      if (controllers.delete(controller) && !isAnswered) controller.abort(clientGone);
    },
    shutDown() {
      isShuttingDown = true;
      for (const controller of controllers) controller.abort(shuttingDown);
      controllers.clear();
    },
  };
}
