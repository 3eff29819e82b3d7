import { maxStickyDuration } from '@portico/protocol';
import { Type } from 'typebox';

/** {@link https://github.com/matrix-org/matrix-spec-proposals/pull/4354} */
export const stickyParameter = 'org.matrix.msc4354.sticky_duration_ms';

/** For how many milliseconds an event is to be sticky. */
export const stickyQuery = { [stickyParameter]: Type.Optional(Type.Integer({ minimum: 0 })) } as const;

/** More than an hour counts as an hour. */
export function stickyMsOf({ [stickyParameter]: asked }: { readonly [stickyParameter]?: number }): number | undefined {
  return asked === undefined ? undefined : Math.min(asked, maxStickyDuration);
}
