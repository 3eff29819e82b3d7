export { silent } from './quiet.ts';
export * from 'matrix-js-sdk';
export { SlidingSync } from 'matrix-js-sdk/lib/sliding-sync.js';
