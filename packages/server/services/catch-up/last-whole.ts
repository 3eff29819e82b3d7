/** The last position of which all changes were read. */
export function lastWhole(moved: readonly { readonly position: number }[], after: number, upTo: number): number {
  const last = moved.at(-1)?.position ?? upTo;
  return last - 1 > after ? last - 1 : last;
}
