import type { KeyAsker } from '../../../services/keys/asker.ts';

type Asked = { readonly sender: { readonly userId: string }; readonly signal: AbortSignal };

/** The signal is made when somebody looks at it: most requests are answered without asking other servers. */
export function keyAsker(request: Asked): KeyAsker {
  return {
    userId: request.sender.userId,
    get signal() {
      return request.signal;
    },
  };
}
