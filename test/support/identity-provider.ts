/** A real OpenID Connect provider in this process, with a page on which anyone signs in by name. */
import { once } from 'node:events';
import { createServer } from 'node:http';
import { type AddressInfo } from 'node:net';
import Provider, { type ClientMetadata } from 'oidc-provider';
import { type Browsing } from './browsing.js';
import { freePort } from './servers.js';

export interface IdentityProvider {
  readonly issuer: string;
  /** Groups of people by name; others have none. */
  readonly groups: Map<string, string[]>;
  /** Registers an application with the secret `secret-of-<id>`. */
  addClient(id: string, consoleUrl: string): void;
  /** Signs a person in on the provider's pages. @returns the address that it redirects to */
  signIn(browsing: Browsing, authorizationUrl: string, name: string): Promise<string>;
  /** Signs the browser out on the provider's pages, of all applications. */
  signOut(browsing: Browsing): Promise<void>;
  stop(): Promise<void>;
}

const GROUPS_CLAIM = 'groups';

/** Settings of a server registered at the provider. @param oidcRoles by group */
export async function settingsAt(
  provider: IdentityProvider,
  clientId: string,
  oidcRoles: readonly { readonly value: string; readonly role: string }[],
) {
  const httpPort = await freePort();
  const consoleUrl = `http://127.0.0.1:${httpPort}`;
  provider.addClient(clientId, consoleUrl);
  return {
    httpPort,
    consoleUrl,
    oidcIssuer: provider.issuer,
    oidcClientId: clientId,
    oidcClientSecret: `secret-of-${clientId}`,
    oidcRequestScopes: 'openid profile groups',
    oidcRoleClaim: GROUPS_CLAIM,
    oidcRoles,
  };
}

export async function startIdentityProvider(): Promise<IdentityProvider> {
  const server = createServer();
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const issuer = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const groups = new Map<string, string[]>();
  const clients = new Map<string, ClientMetadata>();
  const provider = new Provider(issuer, {
    adapter: undefined,
    cookies: { keys: ['test'] },
    claims: { openid: ['sub'], profile: ['name'], groups: [GROUPS_CLAIM] },
    pkce: { required: () => true },
    // The provider's own fetch does not call servers on this machine, and waits for only 2.5 s.
    fetch: (input, init) =>
      fetch(input, { ...init, signal: null, dispatcher: undefined } as object),
    features: {
      devInteractions: { enabled: true },
      rpInitiatedLogout: { enabled: true },
      backchannelLogout: { enabled: true },
    },
    findAccount: (_ctx: unknown, id: string) => ({
      accountId: id,
      claims: () => ({ sub: id, name: `Name of ${id}`, [GROUPS_CLAIM]: groups.get(id) ?? [] }),
    }),
  });
  // Its declared constructor takes nothing.
  const Client = provider.Client as unknown as new (
    metadata: ClientMetadata,
  ) => InstanceType<typeof provider.Client>;
  const known = provider.Client.find.bind(provider.Client);
  provider.Client.find = async (id) => {
    const client = clients.get(id);
    return client ? new Client(client) : known(id);
  };
  const answer = provider.callback();
  server.on('request', (request, response) => void answer(request, response));
  return {
    issuer,
    groups,
    addClient(id, consoleUrl) {
      clients.set(id, {
        client_id: id,
        client_secret: `secret-of-${id}`,
        redirect_uris: [`${consoleUrl}/v1.0/session/sign-on/callback`],
        post_logout_redirect_uris: [`${consoleUrl}/console/`],
        response_types: ['code'],
        grant_types: ['authorization_code'],
        backchannel_logout_uri: `${consoleUrl}/v1.0/session/sign-on/back-channel-logout`,
        backchannel_logout_session_required: true,
      });
    },
    async signIn(browsing, authorizationUrl, name) {
      let url = authorizationUrl;
      for (let step = 0; step < 12; step += 1) {
        const { status, location, text } = await browsing.get(url);
        if (location !== undefined) {
          url = new URL(location, url).href;
          if (!url.startsWith(issuer)) return url;
          continue;
        }
        const action = /action="([^"]+)"/.exec(text)?.[1];
        if (status !== 200 || action === undefined) throw new Error(`${url}: ${status} ${text}`);
        const form = text.includes('name="login"')
          ? { prompt: 'login', login: name, password: 'any' }
          : { prompt: 'consent' };
        const posted = await browsing.post(new URL(action, url).href, form);
        if (posted.location === undefined) throw new Error(`${action}: ${posted.status}`);
        url = new URL(posted.location, url).href;
      }
      throw new Error(`the provider goes round in circles: ${url}`);
    },
    async signOut(browsing) {
      const asked = await browsing.get(`${issuer}/session/end`);
      const action = /action="([^"]+)"/.exec(asked.text)?.[1];
      const xsrf = /name="xsrf" value="([^"]+)"/.exec(asked.text)?.[1];
      if (action === undefined || xsrf === undefined) {
        throw new Error(`no sign-out: ${asked.status} ${asked.text}`);
      }
      await browsing.post(action, { xsrf, logout: 'yes' });
    },
    async stop() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
