/** As much of it as the tests use. */
declare module 'jsdom' {
  export class JSDOM {
    constructor(html: string, options?: { readonly url?: string; readonly pretendToBeVisual?: boolean });
    readonly window: Window & typeof globalThis;
  }
}
