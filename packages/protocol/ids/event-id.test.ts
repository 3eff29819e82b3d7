import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { EventFormatRules } from '../room-versions/rules.ts';
import { isEventIdOf, parseEventId } from './event-id.ts';

const [plain, standard, urlSafe] = ['A'.repeat(43), `${'A'.repeat(41)}+/`, `${'A'.repeat(41)}-_`];
const texts = [
  '$event:example.org',
  `$${plain}`,
  `$${standard}`,
  `$${urlSafe}`,
  `$${plain}A`,
  `$${plain.slice(1)}`,
  plain,
];
const odd = ['$', `!${plain}`, `${plain}$`, `$${plain}\n`, '$event:', '$:example.org/', 'event:example.org'];

test('each room version has event IDs of one form', () => {
  const forms: Readonly<Record<EventFormatRules['eventId'], readonly string[]>> = {
    explicit: ['$event:example.org'],
    'reference-hash': [`$${plain}`, `$${standard}`],
    'reference-hash-url-safe': [`$${plain}`, `$${urlSafe}`],
  };
  for (const [form, expected] of Object.entries(forms)) {
    const found = [...texts, ...odd].filter((text) => isEventIdOf(form as EventFormatRules['eventId'], text));
    assert.deepEqual(found, expected, form);
  }
});

test('any of them is an event ID where the version is not known, and so is whatever has the sigil', () => {
  assert.equal(parseEventId('$a'), '$a');
  for (const text of texts) assert.equal(parseEventId(text), text === plain ? undefined : text);
  assert.equal(parseEventId('$'), undefined);
});
