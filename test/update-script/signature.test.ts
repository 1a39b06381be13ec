/** A vehicle takes only scripts that a trusted chain has signed, and says why it does not. */
import { expect, test } from 'vitest';
import {
  ScriptRefused,
  signScript,
  type UpdateScript,
  verifyScript,
} from '../../src/update-script/index.js';
import { DAY_MS, newAuthority, newSigner } from '../support/certificates.js';

const SCRIPT: UpdateScript = {
  version: 'v1',
  'script-ref-id': 'hu only 001',
  model: 'vehicle model a',
  ecus: [
    {
      ecu: 'HU',
      version: '1.1.0',
      artifact: { sha256: 'a'.repeat(64), md5: 'b'.repeat(32), size: 10 },
    },
  ],
};

const now = Date.now();
const anchor = await newAuthority('anchor');
const signer = await newSigner(anchor);
const trusted = [anchor.certificate];

const refusal = (jws: string, at = now, anchors = trusted) =>
  verifyScript(jws, anchors, at).then(
    () => 'accepted',
    (error: unknown) => {
      expect(error).toBeInstanceOf(ScriptRefused);
      return (error as Error).message;
    },
  );

test('a script that a trusted signer has signed comes out as it went in, with its time', async () => {
  const jws = await signScript(SCRIPT, signer, now);
  expect(await verifyScript(jws, trusted, now)).toEqual({ ...SCRIPT, 'signed-at': now });
});

test('authorities between the signer and the trust anchor are followed', async () => {
  const between = await newAuthority('between', anchor);
  const far = await newSigner(between, { between: [between] });
  expect(await refusal(await signScript(SCRIPT, far, now))).toBe('accepted');
  const incomplete = await newSigner(between);
  expect(await refusal(await signScript(SCRIPT, incomplete, now))).toMatch(/trust anchor/);
});

test('a changed script is refused', async () => {
  const [header = '', payload = '', signature = ''] = (await signScript(SCRIPT, signer, now)).split(
    '.',
  );
  const changed = Buffer.from(payload, 'base64url').toString().replace('1.1.0', '9.9.9');
  const forged = [header, Buffer.from(changed).toString('base64url'), signature].join('.');
  expect(await refusal(forged)).toMatch(/does not match/);
});

test('a foreign authority of the same name is refused', async () => {
  const foreign = await newAuthority('anchor');
  const jws = await signScript(SCRIPT, await newSigner(foreign), now);
  expect(await refusal(jws)).toMatch(/does not lead to a trust anchor/);
});

test('a certificate of another key than the one that signed is refused', async () => {
  const other = await newSigner(anchor);
  const jws = await signScript(SCRIPT, { key: other.key, chain: signer.chain }, now);
  expect(await refusal(jws)).toMatch(/does not match/);
});

test('expired, not yet valid, and not for code signing are told apart', async () => {
  const expired = await newSigner(anchor, { from: now - 20 * DAY_MS, to: now - DAY_MS });
  expect(await refusal(await signScript(SCRIPT, expired, now))).toMatch(/expired on/);
  const jws = await signScript(SCRIPT, signer, now);
  expect(await refusal(jws, 0)).toMatch(/valid from .* the clock says 1970-01-01/);
  const server = await newSigner(anchor, { use: 'server' });
  expect(await refusal(await signScript(SCRIPT, server, now))).toMatch(/not for code signing/);
  const authority = await newSigner(anchor, { use: 'authority' });
  expect(await refusal(await signScript(SCRIPT, authority, now))).toMatch(/is an authority/);
});

test('an authority between that may not issue certificates is refused', async () => {
  const leaf = await newSigner(anchor);
  const [certificate] = leaf.chain;
  if (!certificate) throw new Error('no certificate');
  const below = await newSigner({ certificate, key: leaf.key });
  const chained = { key: below.key, chain: [...below.chain, certificate] };
  expect(await refusal(await signScript(SCRIPT, chained, now))).toMatch(/does not lead/);
});

test('what is no signature, and a script without one, are refused', async () => {
  expect(await refusal('nonsense')).toMatch(/cannot be read/);
  const payload = Buffer.from(JSON.stringify(SCRIPT)).toString('base64url');
  const none = Buffer.from('{"alg":"none","typ":"otaops-update-script+jws"}').toString('base64url');
  expect(await refusal(`${none}.${payload}.`)).toMatch(/brings no certificate/);
});
