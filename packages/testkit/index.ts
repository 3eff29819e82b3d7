export * from './both-engines.ts';
export * from './postgres.ts';
