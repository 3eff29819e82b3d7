import { serverNameOf } from '@portico/protocol';
import type { Database } from '@portico/storage';
import { fullTextFor } from '@portico/storage/full-text/engines.ts';
import type { FirstContacts } from '../services/rate-limit/first-contacts.ts';
import type { ReadingContext } from '../services/reading/context.ts';
import { createSearch, type Search } from '../services/search/search.ts';
import { createSearchIndex } from '../services/search/search-index.ts';
import type { OnlineIndex } from '../services/sync/online-index.ts';
import type { SyncStream } from '../services/sync/streams.ts';
import {
  createThreadSubscriptions,
  type ThreadSubscriptions,
} from '../services/thread-subscriptions/thread-subscriptions.ts';
import { threadSubscriptionStream } from '../services/thread-subscriptions/subscription-stream.ts';
import { createToDevice, type ToDevice } from '../services/to-device/to-device.ts';
import { createQueueRemote } from '../services/to-device/queue-remote.ts';
import { createToDeviceStream } from '../services/to-device/to-device-stream.ts';
import { createTyping, type Typing } from '../services/typing/typing.ts';
import { shareTyping } from '../services/typing/share-typing.ts';
import { createTypingStream } from '../services/typing/typing-stream.ts';
import { createDirectoryUpdates } from '../services/user-directory/directory-updates.ts';
import { createUserDirectory, type UserDirectory } from '../services/user-directory/user-directory.ts';

export type Conversation = {
  readonly services: {
    readonly typing: Typing;
    readonly toDevice: ToDevice;
    readonly threadSubscriptions: ThreadSubscriptions;
    readonly search: Search;
    readonly userDirectory: UserDirectory;
  };
  readonly streams: readonly SyncStream[];
  close(): Promise<void>;
};

type Options = {
  readonly db: Database;
  readonly reading: ReadingContext;
  readonly serverName: string;
  /** Whether this server talks to others. */
  readonly federates: boolean;
  readonly firstContacts: FirstContacts;
  readonly randomId: () => string;
  readonly log: { error(details: object, message: string): void };
  /** Of the sync engine, which is made of the streams among other things. */
  readonly online: () => OnlineIndex;
};

/** What people say to each other beside the timelines, and how they find it and each other. */
export function createConversation(options: Options): Conversation {
  const { db, reading, serverName, federates, firstContacts, randomId, log, online } = options;
  const { now } = reading;
  const failing = (what: string) => (error: unknown) => log.error({ error }, `${what} failed`);
  const typing = shareTyping(db.messages, createTyping({ db, roomNames: reading.rooms, now }));
  const index = createSearchIndex({ db, fullText: fullTextFor(db), onFailure: failing('Indexing messages') });
  const updates = createDirectoryUpdates({ db, serverName, onFailure: failing('Updating the user directory') });
  const toDeviceStream = createToDeviceStream({
    db,
    onFailure: failing('Dropping messages to a device that were delivered'),
  });
  return {
    services: {
      typing,
      toDevice: createToDevice({
        db,
        now,
        randomId,
        isLocal: (userId) => serverNameOf(userId) === serverName,
        ...(federates && { appendRemote: createQueueRemote(firstContacts) }),
      }),
      threadSubscriptions: createThreadSubscriptions({ reading, db }),
      search: createSearch({ reading, fullText: fullTextFor(db), index }),
      userDirectory: createUserDirectory({ db, updates }),
    },
    streams: [
      createTypingStream({
        typing,
        epoch: randomId().replaceAll(/[^0-9A-Za-z]/g, ''),
        ignored: reading.ignored,
        online,
      }),
      toDeviceStream,
      threadSubscriptionStream,
    ],
    async close() {
      typing.close();
      await Promise.all([index.close(), updates.close(), toDeviceStream.close()]);
    },
  };
}
