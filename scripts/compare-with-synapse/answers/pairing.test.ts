import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { createPairing, isMadeUp } from './pairing.ts';

const [oursOne, oursTwo] = [`$${'a'.repeat(43)}`, `$${'b'.repeat(43)}`];
const [theirsOne, theirsTwo] = [`$${'c'.repeat(43)}`, `$${'d'.repeat(43)}`];

describe('what servers make up', () => {
  for (const [text, expected] of [
    [oursOne, true],
    ['!abcdefghij:compared.localhost', true],
    [`!${'a'.repeat(43)}`, true],
    ['mxc://compared.localhost/abc', true],
    ['$short', false],
    ['@alice:compared.localhost', false],
    ['#room:compared.localhost', false],
    [`hello ${oursOne}`, false],
  ] as const) {
    test(`${text} is ${expected ? '' : 'not '}made up`, () => assert.equal(isMadeUp(text), expected));
  }
});

describe('a pairing', () => {
  test('two that are paired stay so, and neither is paired with another', () => {
    const pairing = createPairing();
    assert.equal(pairing.isTaken(theirsOne), false);
    assert.equal(pairing.pair(oursOne, theirsOne), true);
    assert.equal(pairing.isTaken(theirsOne), true);
    assert.equal(pairing.pair(oursOne, theirsOne), true);
    assert.equal(pairing.pair(oursOne, theirsTwo), false);
    assert.equal(pairing.pair(oursTwo, theirsOne), false);
    assert.equal(pairing.pair(oursTwo, theirsTwo), true);
  });

  test('what has been translated is known to be one of Synapse, which has its counterpart', () => {
    const pairing = createPairing();
    pairing.pair(oursOne, theirsOne);
    assert.equal(pairing.pair(pairing.toSynapse(oursOne), theirsTwo), false);
  });

  test('IDs are translated wherever they are, keys included, and nothing else is', () => {
    const pairing = createPairing();
    pairing.pair(oursOne, theirsOne);
    assert.deepEqual(
      pairing.translate({ [oursOne]: [oursOne, oursTwo, 1, null, { deep: oursOne }], text: `see ${oursOne}` }),
      { [theirsOne]: [theirsOne, oursTwo, 1, null, { deep: theirsOne }], text: `see ${oursOne}` },
    );
  });

  test('what was paired after a mark can be forgotten', () => {
    const pairing = createPairing();
    pairing.pair(oursOne, theirsOne);
    const forget = pairing.mark();
    pairing.pair(oursTwo, theirsTwo);
    forget();
    assert.deepEqual([pairing.isTaken(theirsOne), pairing.isTaken(theirsTwo)], [true, false]);
    assert.equal(pairing.toSynapse(oursTwo), oursTwo);
    assert.equal(pairing.pair(oursOne, theirsTwo), false);
  });
});
