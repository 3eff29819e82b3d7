/** Whose token a request brings to an endpoint where that may be the token of an application service. */
export type AppServiceClaim =
  | { readonly kind: 'no-token' }
  | { readonly kind: 'other-token' }
  | { readonly kind: 'app-service'; readonly id: string };
