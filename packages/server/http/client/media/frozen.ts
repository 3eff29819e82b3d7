import { MatrixError } from '../../../errors/matrix-error.ts';

/**
 * > This endpoint MAY return `404 M_NOT_FOUND` for media which exists, but is after the server froze unauthenticated
 * > media access.
 *
 * {@link https://spec.matrix.org/v1.19/client-server-api/#get_matrixmediav3downloadservernamemediaid}
 */
export function refuseIfFrozen({
  mediaAccess,
}: {
  readonly mediaAccess: { readonly requireAuthentication: boolean };
}): void {
  if (mediaAccess.requireAuthentication) throw new MatrixError('media.not-found');
}
