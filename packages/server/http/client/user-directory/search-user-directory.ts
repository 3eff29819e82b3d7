import { Type } from 'typebox';
import type { UserDirectory } from '../../../services/user-directory/user-directory.ts';
import { endpoint } from '../../endpoint.ts';

export const searchUserDirectory = endpoint(
  {
    method: 'POST',
    path: '/_matrix/client/v3/user_directory/search',
    operationId: 'searchUserDirectory',
    summary: 'Searches the user directory',
    auth: 'user',
    rateLimit: 'user-directory',
    body: Type.Object(
      { search_term: Type.String(), limit: Type.Optional(Type.Integer()) },
      { title: 'UserDirectoryQuery' },
    ),
    response: Type.Object(
      {
        limited: Type.Boolean(),
        results: Type.Array(
          Type.Object({
            user_id: Type.String(),
            display_name: Type.Optional(Type.String()),
            avatar_url: Type.Optional(Type.String()),
          }),
        ),
      },
      { title: 'UserDirectoryResults' },
    ),
  },
  ({ userDirectory }: { userDirectory: UserDirectory }) =>
    ({ sender, body }) =>
      userDirectory.search(sender.userId, body.search_term, body.limit),
);
