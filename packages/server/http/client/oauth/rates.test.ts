import assert from 'node:assert/strict';
import { describe, test, type TestContext } from 'node:test';
import { defaultRates, type RateClass } from '@portico/server/services/rate-limit/rate-classes.ts';
import { oauthPath, type OAuthServer, startOAuthServer } from '@portico/testkit/oauth-server.ts';
import { openRawDatabase } from '@portico/testkit/raw-database.ts';

/** One for each test: no time passes, so that no bucket fills. */
async function start(context: TestContext, trusted?: string): Promise<OAuthServer> {
  const oauth = await startOAuthServer({
    settings: { RATE_LIMITS_ENABLED: 'true', ...(trusted !== undefined && { HTTP_TRUSTED_PROXIES: trusted }) },
    now: () => 1_700_000_000_000,
  });
  context.after(async () => {
    await oauth.close();
    assert.deepEqual(oauth.server.errors, []);
  });
  return oauth;
}

const proxied = '["127.0.0.0/8"]';

const endpoints: readonly (readonly [path: string, rateClass: RateClass])[] = [
  ['clients', 'oauth-client'],
  ['device', 'oauth-client'],
  ['token', 'oauth-token'],
  ['revoke', 'oauth-token'],
];

describe('how often apps may ask what anybody may ask', () => {
  for (const [path, rateClass] of endpoints) {
    const { burst } = defaultRates[rateClass];
    const ask = async (oauth: OAuthServer, from: string): Promise<boolean> => {
      const headers = { 'x-forwarded-for': from, 'content-type': 'application/x-www-form-urlencoded' };
      const answer = await fetch(`${oauth.base}${oauthPath}/${path}`, { method: 'POST', headers, body: 'a=b' });
      await answer.text();
      if (answer.status === 429) assert.ok(Number(answer.headers.get('retry-after')) > 0);
      return answer.status !== 429;
    };

    test(`${path}: a network of IPv6 is one, whatever its people call themselves to the proxy`, async (context) => {
      const oauth = await start(context, proxied);
      for (let index = 0; index < burst; index += 1) {
        assert.ok(await ask(oauth, `203.0.113.${index}, 2001:db8:1:2::${index.toString(16)}`));
      }
      assert.ok(!(await ask(oauth, '203.0.113.250, 2001:db8:1:2:ffff::1')));
      assert.ok(!(await ask(oauth, '2001:0DB8:0001:0002::9')), 'written in another way');
      assert.ok(await ask(oauth, '2001:db8:1:3::1'), 'another network');
      assert.ok(await ask(oauth, '203.0.113.250'));
    });

    test(`${path}: an address of IPv4 is one, by whatever it comes`, async (context) => {
      const oauth = await start(context, proxied);
      for (let index = 0; index < burst; index += 1) assert.ok(await ask(oauth, `192.0.2.${index}, 203.0.113.7`));
      for (const from of ['203.0.113.7', '::ffff:203.0.113.7', '203.0.113.7:4711']) {
        assert.ok(!(await ask(oauth, from)), from);
      }
      assert.ok(await ask(oauth, '203.0.113.8'));
    });

    test(`${path}: nobody is believed who is no proxy`, async (context) => {
      const oauth = await start(context);
      for (let index = 0; index < burst; index += 1) assert.ok(await ask(oauth, `203.0.113.${index}`));
      assert.ok(!(await ask(oauth, '203.0.113.250')));
    });
  }

  test('a login under way is of the network that it was begun in', async (context) => {
    const oauth = await start(context, proxied);
    const { url } = oauth.newRequest(await oauth.registerClient());
    const headers = { 'x-forwarded-for': '2001:db8:1:2::1' };
    assert.equal((await fetch(url, { headers, redirect: 'manual' })).status, 302);
    const raw = await openRawDatabase(oauth.server.databaseUrl);
    assert.deepEqual(
      (await raw.run('select network from oauth_requests')).map((row) => row['network']),
      ['2001:db8:1'],
    );
    await raw.close();
  });
});
