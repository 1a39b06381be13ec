/**
 * `--audit-syslog tls://` with OpenSSL as the receiver: only a receiver with a trusted certificate for its name gets
 * the log.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { afterEach, expect, test } from 'vitest';
import { eventually, startTestAdapter, type TestAdapter } from '../../support/adapter.js';
import { OpensslAuthority, type Pair } from '../../support/openssl-authority.js';
import { sampleOf } from '../../support/depth.js';
import { freePort } from '../../support/servers.js';

const authority = new OpensslAuthority('Receivers');
const stranger = new OpensslAuthority('Strangers');

let adapter: TestAdapter | undefined;
const receivers: ChildProcess[] = [];
afterEach(async () => {
  await adapter?.stop();
  adapter = undefined;
  for (const child of receivers.splice(0)) {
    child.kill('SIGKILL');
    await once(child, 'close');
  }
});

/** `openssl s_server`, which prints what it receives. */
async function startReceiver(port: number, { cert, key }: Pair) {
  const args = ['-accept', `127.0.0.1:${port}`, '-cert', cert, '-key', key, '-tls1_2'];
  const child = spawn('openssl', ['s_server', ...args], { stdio: ['pipe', 'pipe', 'pipe'] });
  receivers.push(child);
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', (chunk: Buffer) => (output += chunk.toString()));
  }
  await eventually(
    () => Promise.resolve(output),
    (said) => said.includes('ACCEPT'),
  );
  return {
    output: () => output,
    async stop() {
      receivers.splice(receivers.indexOf(child), 1);
      child.kill('SIGKILL');
      await once(child, 'close');
    },
  };
}

const startSending = async (host: string, port: number) => {
  adapter = await startTestAdapter({ auditSyslog: `tls://${host}:${port}`, ca: authority.ca });
  return adapter;
};
const hasFailed = (t: TestAdapter) =>
  eventually(
    // The metric exists from the first failure on.
    () => t.metric('otaops_audit_copy_failures_total{copy="syslog"}').catch(() => 0),
    (failures) => failures > 0,
  );

const otherName = () =>
  authority.issue('other', {
    subject: '/CN=other.example',
    extensions: ['subjectAltName=DNS:other.example', 'extendedKeyUsage=serverAuth'],
  });
const expired = () =>
  authority.issue('expired', {
    subject: '/CN=localhost',
    extensions: ['subjectAltName=DNS:localhost,IP:127.0.0.1', 'extendedKeyUsage=serverAuth'],
    from: '20200101000000Z',
    until: '20210101000000Z',
  });

const IMPOSTORS = [
  ['of another authority', () => stranger.server()],
  ['for another name', otherName],
  ['that has expired', expired],
] as const;

test.each(sampleOf(IMPOSTORS, 3))(
  'a receiver with a certificate %s gets nothing; the right one then gets everything',
  async (_what, wrong) => {
    const port = await freePort();
    const impostor = await startReceiver(port, wrong());
    const t = await startSending('localhost', port);
    await hasFailed(t);
    expect(impostor.output()).not.toContain('otaops-adapter');
    await impostor.stop();
    const receiver = await startReceiver(port, authority.server());
    await eventually(
      () => Promise.resolve(receiver.output()),
      (said) => said.includes('"action":"start"'),
      120_000,
    );
    // Octet counting, RFC 5425: the length comes before the message.
    expect(receiver.output()).toMatch(
      /\d+ <110>1 \S+ \S+ otaops-adapter \d+ start - \{"action":"start"/,
    );
  },
);

test('an address instead of a name is checked too', async () => {
  const port = await freePort();
  const receiver = await startReceiver(port, authority.server());
  await startSending('127.0.0.1', port);
  await eventually(
    () => Promise.resolve(receiver.output()),
    (said) => said.includes('"action":"start"'),
    120_000,
  );
});
