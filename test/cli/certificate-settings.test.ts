/** Files of certificates that cannot be used abort the start, with a message that names setting and file. */
import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { newAuthority } from '../support/certificates.js';
import { runCommand } from '../support/run-command.js';
import { temporaryDirectory } from '../support/servers.js';

const pem = temporaryDirectory('pem');
const file = (name: string, text: string) => {
  writeFileSync(join(pem, name), text);
  return join(pem, name);
};
const authority = newAuthority(pem);
const [one, another] = [authority.issue('one'), authority.issue('another')];
const certificate = file('one.pem', one.cert);
const itsKey = file('one.key', one.key);
const otherKey = file('another.key', another.key);
const noCertificate = file('notes.pem', 'to be filled in\n');
const broker = ['serve', '--mqtt-url', 'mqtts://127.0.0.1:1'];

test.each<[string, string[], RegExp]>([
  [
    'a missing CA of the broker',
    [...broker, '--mqtt-ca', '/missing'],
    /--mqtt-ca: \/missing: ENOENT/,
  ],
  [
    'a CA file of the broker without a certificate',
    [...broker, '--mqtt-ca', noCertificate],
    /--mqtt-ca: .*notes\.pem: there is no PEM certificate in it/,
  ],
  [
    'a CA of a broker that is called without TLS',
    ['serve', '--mqtt-url', 'mqtt://127.0.0.1:1', '--mqtt-ca', authority.file],
    /--mqtt-ca.* need --mqtt-url mqtts:\/\/ or wss:\/\//,
  ],
  ['a CA of the embedded broker', ['serve', '--mqtt-ca', authority.file], /need --mqtt-url/],
  [
    'a certificate for the broker without its key',
    [...broker, '--mqtt-cert', certificate],
    /--mqtt-cert and --mqtt-key must be given together/,
  ],
  [
    'a certificate for the broker with the key of another',
    [...broker, '--mqtt-cert', certificate, '--mqtt-key', otherKey],
    /--mqtt-cert, --mqtt-key: .*one\.pem, .*another\.key: .*the key belongs to another certificate/,
  ],
  [
    'a missing certificate of the adapter',
    ['serve', '--tls-cert', '/missing', '--tls-key', itsKey],
    /--tls-cert, --tls-key: \/missing, .*one\.key: ENOENT/,
  ],
  [
    'a certificate of the CarOTA Server with the key of another',
    ['carota', '--tls-cert', certificate, '--tls-key', otherKey],
    /--tls-cert, --tls-key: .*the key belongs to another certificate/,
  ],
  ['a missing CA of others', ['serve', '--ca', '/missing'], /--ca: \/missing: ENOENT/],
])('%s is refused before anything is created', async (_name, args, message) => {
  const dataDir = join(temporaryDirectory('refused'), 'data');
  const { code, output } = await runCommand(args, { OTAOPS_DATA_DIR: dataDir });
  expect(output).toMatch(message);
  expect(code).toBe(2);
  expect(existsSync(dataDir)).toBe(false);
});
