import { Type } from 'typebox';

const optionalText = Type.Union([Type.String(), Type.Null()]);

/** What administrators are told of every account, of one and in lists. */
export const userFacts = {
  name: Type.String(),
  admin: Type.Boolean(),
  deactivated: Type.Boolean(),
  erased: Type.Boolean(),
  locked: Type.Boolean(),
  suspended: Type.Boolean(),
  user_type: optionalText,
  displayname: optionalText,
  avatar_url: optionalText,
  creation_ts: Type.Integer(),
  // There are neither guests nor people who speak without being heard: programs ask all the same.
  is_guest: Type.Literal(false),
  shadow_banned: Type.Literal(false),
};
