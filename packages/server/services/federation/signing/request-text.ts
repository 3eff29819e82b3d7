export type SignedRequest = {
  readonly method: string;
  /** "the full path starting with `/_matrix/...`, including the `?` and any query parameters if present" */
  readonly uri: string;
  readonly origin: string;
  readonly destination: string | undefined;
  /** Canonical JSON; `undefined` where there is no body. */
  readonly content: string | undefined;
};

/**
 * What the signature of a request covers, as canonical JSON.
 *
 * {@link https://spec.matrix.org/v1.19/server-server-api/#request-authentication}
 */
export function requestText({ method, uri, origin, destination, content }: SignedRequest): string {
  const content_ = content === undefined ? '' : `"content":${content},`;
  const destination_ = destination === undefined ? '' : `"destination":${JSON.stringify(destination)},`;
  return (
    `{${content_}${destination_}"method":${JSON.stringify(method)},"origin":${JSON.stringify(origin)},` +
    `"uri":${JSON.stringify(uri)}}`
  );
}
