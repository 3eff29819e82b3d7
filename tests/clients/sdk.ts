export { silent } from './quiet.ts';
export * from 'matrix-js-sdk';
