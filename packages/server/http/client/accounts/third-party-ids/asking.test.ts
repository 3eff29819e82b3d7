import assert from 'node:assert/strict';
import { after, describe, test } from 'node:test';
import { linkIn, openPage } from '@portico/testkit/mail-links.ts';
import { newAddress, newSecret, outcomeOf, startServerWithMail } from '@portico/testkit/mail-person.ts';
import { openRawDatabase } from '@portico/testkit/raw-database.ts';

const purpose = 'account/3pid';

for (const engine of ['sqlite', 'postgres'] as const) {
  describe(`asking for a token by email (${engine})`, async () => {
    const withMail = await startServerWithMail({ engine });
    const { server, smtp, requestToken, ask } = withMail;
    after(() => withMail.close());

    test('sends one email for each attempt, however often it is asked for', async () => {
      const email = newAddress();
      const request = { client_secret: newSecret(), email, send_attempt: 1 };
      const many = await Promise.all(Array.from({ length: 5 }, () => requestToken(purpose, request)));
      const ids = new Set(many.map(({ status, body }) => `${status} ${String(body['sid'])}`));
      assert.equal(ids.size, 1, [...ids].join());
      const first = await smtp.next(email);
      assert.equal((await requestToken(purpose, { ...request, send_attempt: 0 })).body['sid'], many[0]?.body['sid']);
      const again = await requestToken(purpose, { ...request, send_attempt: 2 });
      assert.equal(again.body['sid'], many[0]?.body['sid']);
      const second = await smtp.next(email);
      assert.equal(smtp.received.filter(({ to }) => to.includes(email)).length, 2);
      assert.equal((await openPage(server, linkIn(first))).status, 400, 'the newest email counts');
      assert.equal((await openPage(server, linkIn(second))).status, 200);
      assert.equal((await openPage(server, linkIn(second))).status, 200, 'twice is no harm');
      const other = await requestToken('register', request);
      assert.notEqual(other.body['sid'], again.body['sid'], 'for something else it is something else');
      await smtp.next(email);
      assert.deepEqual(server.errors, []);
    });

    test('sends what other programs can read, and nothing but that', async () => {
      const { mail } = await ask(purpose, newAddress());
      assert.equal(mail.from, 'portico@test.example');
      const header = (name: string) => mail.headers.get(name);
      assert.deepEqual(header('from'), ['Test <portico@test.example>']);
      assert.deepEqual(header('to'), mail.to);
      assert.deepEqual(header('auto-submitted'), ['auto-generated']);
      assert.match(header('message-id')?.join() ?? '', /^<[^<>\s]+@test\.example>$/);
      assert.ok(Math.abs(Date.parse(header('date')?.join() ?? '') - Date.now()) < 60_000);
      assert.deepEqual(header('mime-version'), ['1.0']);
      assert.match(header('content-type')?.join() ?? '', /^multipart\/alternative/);
      assert.deepEqual(header('subject'), ['Confirm your email address for localhost']);
      assert.doesNotMatch(mail.html, /<script|<img|<link|style=/);
      for (const line of mail.raw.split('\r\n')) assert.ok(line.length <= 998 && !/[\r\n]/.test(line));
    });

    test('is refused for what is no address or secret, before anything is kept or sent', async () => {
      const before = smtp.received.length;
      const usual = { client_secret: 'secret', email: 'a@b.org', send_attempt: 1 };
      const cases: readonly [over: object, expected: string][] = [
        [{ email: 'victim@example.org\r\nBcc: other@example.org' }, '400 M_INVALID_PARAM'],
        [{ email: 'victim@example.org>\r\nRCPT TO:<other@example.org' }, '400 M_INVALID_PARAM'],
        [{ email: 'Name <a@b.org>' }, '400 M_INVALID_PARAM'],
        [{ email: 'a@b.org,c@d.org' }, '400 M_INVALID_PARAM'],
        [{ email: '' }, '400 M_INVALID_PARAM'],
        [{ email: `${'a'.repeat(900_000)}@b.org` }, '400 M_INVALID_PARAM'],
        [{ email: `${'a'.repeat(2_000_000)}@b.org` }, '413 M_TOO_LARGE'],
        [{ email: 7 }, '400 M_BAD_JSON'],
        [{ email: undefined }, '400 M_MISSING_PARAM'],
        [{ client_secret: '' }, '400 M_INVALID_PARAM'],
        [{ client_secret: 'sp ace' }, '400 M_INVALID_PARAM'],
        [{ client_secret: 'ü' }, '400 M_INVALID_PARAM'],
        [{ client_secret: 'x'.repeat(256) }, '400 M_INVALID_PARAM'],
        [{ send_attempt: 'one' }, '400 M_BAD_JSON'],
        [{ send_attempt: 1e300 }, '400 M_BAD_JSON'],
        [{ next_link: 'javascript:alert(1)' }, '400 M_INVALID_PARAM'],
        [{ next_link: 'http://example.org/' }, '400 M_INVALID_PARAM'],
        [{ next_link: '//example.org/' }, '400 M_INVALID_PARAM'],
        [{ next_link: 'https://user:password@example.org/' }, '400 M_INVALID_PARAM'],
        [{ next_link: `https://example.org/${'x'.repeat(2000)}` }, '400 M_INVALID_PARAM'],
      ];
      for (const [over, expected] of cases) {
        const outcome = outcomeOf(await requestToken(purpose, { ...usual, ...over }));
        assert.equal(outcome, expected, JSON.stringify(over).slice(0, 100));
      }
      assert.equal(smtp.received.length, before);
      assert.deepEqual(server.errors, []);
    });

    test('leads on to where the client wants, once the address is proved', async () => {
      const next = 'https://app.example.org/done?a=b#c';
      const { mail } = await ask(purpose, newAddress(), { next_link: next });
      const { status, location } = await openPage(server, linkIn(mail));
      assert.deepEqual([status, location], [302, next]);
      const broken = await openPage(server, linkIn(mail).replace(/token=.{4}/, 'token=AAAA'));
      assert.deepEqual([broken.status, broken.location], [400, undefined], 'nobody is led on by a link that is none');
    });

    test('shows pages that run nothing, load nothing, and keep their addresses to themselves', async () => {
      const { mail } = await ask(purpose, newAddress());
      for (const path of [linkIn(mail), `${linkIn(mail)}x`]) {
        const { headers, html } = await openPage(server, path);
        assert.equal(headers.get('content-type'), 'text/html; charset=utf-8');
        assert.match(headers.get('content-security-policy') ?? '', /^default-src 'none';.*frame-ancestors 'none'/);
        assert.equal(headers.get('referrer-policy'), 'no-referrer');
        assert.equal(headers.get('cache-control'), 'no-store');
        assert.equal(headers.get('x-content-type-options'), 'nosniff');
        assert.doesNotMatch(html, /<script|src=|href=|\son[a-z]+=/);
      }
      const marked = await openPage(server, `${linkIn(mail).split('?')[0]}?sid=<b>&token="><script>`);
      assert.doesNotMatch(marked.html, /<b>|<script/);
    });

    test('fails where the mail server fails, and can be done again', async () => {
      const email = newAddress();
      const request = { client_secret: newSecret(), email, send_attempt: 1 };
      smtp.refuseWith(554);
      const failed = await requestToken(purpose, request);
      assert.equal(outcomeOf(failed), '502 M_EMAIL_SEND_ERROR');
      smtp.refuseWith(undefined);
      assert.equal(outcomeOf(await requestToken(purpose, request)), '200');
      await smtp.next(email);
    });

    test('keeps neither secrets nor tokens as they are', async () => {
      const email = newAddress();
      const { proof, mail } = await ask(purpose, email);
      const token = new URL(linkIn(mail), 'http://x').searchParams.get('token');
      const raw = await openRawDatabase(server.databaseUrl);
      const rows = await raw.run('select * from email_validations where address = $1', [email]);
      await raw.close();
      assert.equal(rows.length, 1);
      const kept = JSON.stringify(rows);
      assert.ok(kept.includes(proof.sid) && !kept.includes(proof.client_secret) && !kept.includes(String(token)));
    });

    test('is bounded: of a thousand requests a few wait, and the others are told to come back', async () => {
      const release = smtp.hold();
      const before = smtp.received.length;
      const outcomes: string[] = [];
      let left = 1000;
      // A hundred clients, of which those that wait ask nothing else.
      const client = async (): Promise<void> => {
        while (left-- > 0) {
          const request = { client_secret: `bounded-${left}`, email: newAddress(), send_attempt: 1 };
          outcomes.push(outcomeOf(await requestToken(purpose, request)));
          if (outcomes.length === 800) release();
        }
      };
      await Promise.all(Array.from({ length: 100 }, client));
      const refused = outcomes.filter((outcome) => outcome === '503 M_UNKNOWN').length;
      assert.ok(refused >= 800, `${refused} refused`);
      assert.deepEqual([...new Set(outcomes)].toSorted(), ['200', '503 M_UNKNOWN']);
      assert.equal(smtp.received.length - before, 1000 - refused);
      assert.ok(smtp.mostConnections <= 3, `${smtp.mostConnections} connections`);
      const raw = await openRawDatabase(server.databaseUrl);
      const kept = await raw.run('select session_id from email_validations', []);
      await raw.close();
      assert.ok(kept.length <= smtp.received.length, 'nothing is kept of those that were refused');
      assert.deepEqual(server.errors, []);
    });
  });
}

test('nobody gets more than a few emails, and nobody asks for many', async (context) => {
  const withMail = await startServerWithMail({ settings: { RATE_LIMITS_ENABLED: 'true' } });
  context.after(() => withMail.close());
  const { requestToken, smtp } = withMail;
  const email = newAddress();
  const outcomes = [];
  for (let each = 0; each < 9; each++) {
    outcomes.push(outcomeOf(await requestToken(purpose, { client_secret: newSecret(), email, send_attempt: 1 })));
  }
  assert.deepEqual(outcomes, [
    ...Array.from({ length: 5 }, () => '200'),
    ...Array.from({ length: 4 }, () => '429 M_LIMIT_EXCEEDED'),
  ]);
  assert.equal(smtp.received.length, 5);
  const others = await Promise.all(
    Array.from({ length: 20 }, () =>
      requestToken(purpose, { client_secret: newSecret(), email: newAddress(), send_attempt: 1 }),
    ),
  );
  assert.ok(others.filter(({ status }) => status === 429).length >= 15);
});

test('links lead on to the hosts of the configuration only', async (context) => {
  const withMail = await startServerWithMail({ settings: { MAIL_NEXT_LINK_HOSTS: '["app.example.org"]' } });
  context.after(() => withMail.close());
  const request = async (link: string) => {
    const asked = { client_secret: newSecret(), email: newAddress(), send_attempt: 1, next_link: link };
    return outcomeOf(await withMail.requestToken(purpose, asked));
  };
  assert.equal(await request('https://app.example.org/x'), '200');
  assert.equal(await request('https://APP.example.org:8443/x'), '200');
  for (const link of ['https://evil.example/', 'https://app.example.org.evil.example/', 'https://x.app.example.org/']) {
    assert.equal(await request(link), '400 M_INVALID_PARAM', link);
  }
});
