export * from './json/value.ts';
export * from './events/pdu.ts';
export * from './room-versions/rules.ts';
export * from './room-versions/registry.ts';
