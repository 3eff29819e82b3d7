/** What a server calls itself. */
export type Program = { readonly name: string; readonly version: string };
