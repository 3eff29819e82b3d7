import assert from 'node:assert/strict';
import { test } from 'node:test';
import { mxcUrisInHtml } from './mxc-uris-in-html.ts';

test('addresses are found in HTML, however they are written', () => {
  const plain = 'mxc://example.org:8448/a_b-C9';
  for (const written of [
    plain,
    'mxc&colon;&sol;&sol;example&period;org:8448/a&lowbar;b-C9',
    '&#109;&#x78;c:&#x2f;&#X2F;example.org:8448/a&#95b-C9',
    Array.from(plain, (character) => `&#${character.codePointAt(0)};`).join(''),
  ]) {
    for (const html of [
      `<img src="${written}">`,
      `<IMG alt='' src=${written} >`,
      `${written}" &amp; &#xffffff; &#9999999;`,
    ]) {
      assert.deepEqual(mxcUrisInHtml(html), [plain], html);
    }
  }
  assert.deepEqual(mxcUrisInHtml('<img src="mxc://[::1]/x"><img src="mxc://b.example/y">'), [
    'mxc://[::1]/x',
    'mxc://b.example/y',
  ]);
  for (const nothing of ['', 'mxc://', 'mxc:///x', 'mxc://example.org', 'mxc:&sol/example.org/x', 'http://a.b/c']) {
    assert.deepEqual(mxcUrisInHtml(nothing), []);
  }
});

test('a long text is gone through once', () => {
  for (const part of ['mxc://', 'mxc://a', '&#', '&#x', 'mxc://a/b']) {
    const html = part.repeat(60_000 / part.length);
    const startedAt = process.cpuUsage();
    mxcUrisInHtml(html);
    assert.ok(process.cpuUsage(startedAt).user < 2_000_000);
  }
});
