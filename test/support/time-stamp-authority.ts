/** A time-stamping authority: OpenSSL behind HTTP, with certificates made for the test. */
import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { type AddressInfo } from 'node:net';
import { join } from 'node:path';
import { temporaryDirectory } from './servers.js';

export interface TestAuthority {
  readonly url: string;
  /** PEM. */
  readonly caFile: string;
  /** The answer to a request (DER): OpenSSL's, unless a test replaces it. */
  answer: (request: Buffer) => { readonly status: number; readonly body: Buffer };
  /** OpenSSL's answer. */
  reply(request: Buffer): Buffer;
  stop(): Promise<void>;
}

const CONFIG = (directory: string) => `
[ tsa ]
default_tsa = test
[ test ]
serial = ${directory}/serial
signer_cert = ${directory}/tsa.pem
certs = ${directory}/ca.pem
signer_key = ${directory}/tsa.key
signer_digest = sha256
default_policy = 1.2.3.4.1
digests = sha256
accuracy = secs:1
tsa_name = yes
ess_cert_id_chain = no
`;

const EXTENSIONS = `
keyUsage = critical, digitalSignature
extendedKeyUsage = critical, timeStamping
`;

/** @param curve for its keys; undefined: RSA */
export async function startAuthority(curve?: string): Promise<TestAuthority> {
  const directory = temporaryDirectory('tsa');
  const at = (name: string) => join(directory, name);
  const openssl = (...args: string[]) => execFileSync('openssl', args, { stdio: 'pipe' });
  const key = curve === undefined ? ['rsa:2048'] : ['ec', '-pkeyopt', `ec_paramgen_curve:${curve}`];
  const request = (name: string) => [
    'req',
    '-newkey',
    ...key,
    '-nodes',
    '-keyout',
    at(`${name}.key`),
  ];
  openssl(...request('ca'), '-x509', '-days', '3650', '-subj', '/CN=Test CA', '-out', at('ca.pem'));
  openssl(...request('tsa'), '-subj', '/CN=Test time stamps', '-out', at('tsa.csr'));
  writeFileSync(at('extensions'), EXTENSIONS);
  openssl(
    ...['x509', '-req', '-in', at('tsa.csr'), '-CA', at('ca.pem'), '-CAkey', at('ca.key')],
    ...['-CAcreateserial', '-days', '3650', '-extfile', at('extensions'), '-out', at('tsa.pem')],
  );
  writeFileSync(at('openssl.cnf'), CONFIG(directory));
  writeFileSync(at('serial'), '01\n');
  let requests = 0;
  const reply = (query: Buffer) => {
    const name = `request-${++requests}`;
    writeFileSync(at(name), query);
    const output = ['-queryfile', at(name), '-out', at(`${name}.tsr`)];
    openssl('ts', '-reply', '-config', at('openssl.cnf'), '-section', 'test', ...output);
    return readFileSync(at(`${name}.tsr`));
  };
  const server = createServer((incoming, response) => {
    const parts: Buffer[] = [];
    incoming.on('data', (part: Buffer) => parts.push(part));
    incoming.on('end', () => {
      const { status, body } = authority.answer(Buffer.concat(parts));
      response.writeHead(status, { 'content-type': 'application/timestamp-reply' }).end(body);
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const authority: TestAuthority = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/tsa?secret=1`,
    caFile: at('ca.pem'),
    answer: (query) => ({ status: 200, body: reply(query) }),
    reply,
    async stop() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
  return authority;
}
