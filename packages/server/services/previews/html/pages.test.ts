import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { decodePage } from './decode-page.ts';
import { previewOf } from './open-graph.ts';
import { readPageFacts } from './page-facts.ts';
import { tidyText } from './tidy-text.ts';

const address = 'https://a.example/blog/post?x=1';

function preview(html: string) {
  const { properties, image } = previewOf(readPageFacts(html), address);
  return { ...Object.fromEntries(properties), image };
}

suite('what a page says of itself:', () => {
  test('in the words of OpenGraph', () => {
    const page = `<!doctype html><html><head><title>Else</title>
      <meta property="og:title" content="A &amp; B"><meta property="og:type" content="article">
      <meta property="og:title" content="second"><meta property="og:url" content="/canonical">
      <meta property="og:description" content="  Two
      lines "><meta property="og:site_name" content="A">
      <meta property="og:image" content="../a.png"><meta property="og:image:width" content="1">
      <meta property="og:image:alt" content="a picture"></head><body><p>text</p></body>`;
    assert.deepEqual(preview(page), {
      'og:title': 'A & B',
      'og:type': 'article',
      'og:url': 'https://a.example/canonical',
      'og:description': 'Two lines',
      'og:site_name': 'A',
      'og:image:alt': 'a picture',
      image: 'https://a.example/a.png',
    });
  });

  test('in other words, where those are missing', () => {
    const page = `<title>
        The title </title><meta name="description" content="About it"><meta name="twitter:image" content="/t.jpg">`;
    assert.deepEqual(preview(page), {
      'og:title': 'The title',
      'og:description': 'About it',
      image: 'https://a.example/t.jpg',
    });
    assert.deepEqual(preview('<meta name="Twitter:Title" content="T"><title>other</title>'), {
      'og:title': 'T',
      image: undefined,
    });
  });

  test('by what is on it, where it says nothing', () => {
    const page = `<base href="/static/"><body><nav><p>${'menu '.repeat(20)}</p></nav>
      <img src="data:image/png;base64,AAAA"><img src="pixel.gif" width="1" height="1"><img src="real.png" width="300">
      <h1>The <em>heading</em></h1><svg><title>icon</title></svg><p>short</p><script>var a = "<p>";</script>
      <p>A paragraph that says what all of this is <b>about</b>,<br>and goes on.</p><p>${'more '.repeat(20)}</p>`;
    assert.deepEqual(preview(page), {
      'og:title': 'The heading',
      'og:description': 'A paragraph that says what all of this is about, and goes on.',
      image: 'https://a.example/static/real.png',
    });
  });

  test('nothing at all', () => {
    for (const page of ['', '<', '<html>', '\0', '<meta property="og:title">']) {
      assert.deepEqual(preview(page), { image: undefined });
    }
  });

  test('only what is OpenGraph, and only addresses of the web', () => {
    const page = `<title>t</title><meta property="fb:app_id" content="1"><meta property="og:__proto__" content="1">
      <meta property="og:url" content="javascript:alert(1)"><meta property="og:video" content="file:///x">
      <meta property="__proto__" content="x"><meta property="og:image" content="file:///etc/passwd">`;
    assert.deepEqual(preview(page), { 'og:title': 't', image: undefined });
    assert.equal(preview('<meta property="og:image" content="data:image/png;base64,AAAA">').image, undefined);
  });

  test('no more than fits: long values are cut, many are left out', () => {
    const long = 'x'.repeat(1_000_000);
    const many = Array.from({ length: 5000 }, (_, n) => `<meta property="og:x${n}" content="${n}">`).join('');
    const facts = readPageFacts(`<title>${long}</title><meta name="description" content="${long}">${many}`);
    const { properties } = previewOf(facts, address);
    assert.equal(Object.fromEntries(properties)['og:title']?.length, 300);
    assert.equal(Object.fromEntries(properties)['og:description']?.length, 1000);
    assert.ok(properties.length <= 50);
    assert.ok(JSON.stringify(properties).length < 10_000);
  });
});

test('text is cut between characters, and is one that can be written', () => {
  assert.equal(tidyText(' a\0\u202f\n b\ud800 ', 10), 'a b\ufffd');
  assert.equal(tidyText('🎉🎉🎉', 3), '🎉🎉🎉');
  assert.equal(tidyText('🎉🎉🎉🎉', 3), '🎉🎉…');
  assert.equal(tidyText(' \n ', 3), undefined);
});

suite('the encoding of a page is', () => {
  const umlaut = '<title>\u00e4\u20ac</title>';
  const bytes = (...parts: readonly (string | readonly number[])[]) =>
    Buffer.concat(parts.map((part) => (typeof part === 'string' ? Buffer.from(part, 'utf8') : Buffer.from(part))));
  const cases: readonly [what: string, page: Buffer, contentType: string | undefined, expected: string][] = [
    ['UTF-8, if nobody says anything', bytes(umlaut), undefined, umlaut],
    ['Windows-1252, if that cannot be', bytes([0xe4, 0x80, 0x21]), undefined, '\u00e4\u20ac!'],
    ['what the server says', bytes([0xcf, 0xd2]), 'text/html; charset="koi8-r"', '\u043e\u0440'],
    [
      'what the page says',
      bytes('<meta charset=shift_jis>', [0x82, 0xa0]),
      'text/html',
      '<meta charset=shift_jis>\u3042',
    ],
    [
      'what the page says in the old way',
      bytes('<meta http-equiv="Content-Type" content="text/html; charset=euc-kr">', [0xb0, 0xa1]),
      undefined,
      '<meta http-equiv="Content-Type" content="text/html; charset=euc-kr">\uac00',
    ],
    [
      "what XML's declaration says",
      bytes('<?xml version="1.0" encoding="ISO-8859-2"?>', [0xb1]),
      undefined,
      '<?xml version="1.0" encoding="ISO-8859-2"?>\u0105',
    ],
    [
      'what its mark says, before the server',
      bytes([0xef, 0xbb, 0xbf], '\u00e4'),
      'text/html; charset=latin1',
      '\u00e4',
    ],
    [
      'never one that does not exist',
      bytes('<meta charset=nothing>\u00e4'),
      'text/html; charset=x-none',
      '<meta charset=nothing>\u00e4',
    ],
    [
      'not UTF-16 because the page says so',
      bytes('<meta charset=utf-16>\u00e4'),
      undefined,
      '<meta charset=utf-16>\u00e4',
    ],
    ['still UTF-8, if it is cut in the middle of a character', bytes('\u00e4', [0xc3]), undefined, '\u00e4'],
  ];
  for (const [what, page, contentType, expected] of cases) {
    test(what, () => assert.equal(decodePage(page, contentType), expected));
  }
  test('two bytes a character, where the mark says so', () => {
    const page = Buffer.concat([Buffer.from([0xff, 0xfe]), Buffer.from('hi \u20ac', 'utf16le')]);
    assert.equal(decodePage(page, 'text/html; charset=utf-8'), 'hi \u20ac');
  });
});
