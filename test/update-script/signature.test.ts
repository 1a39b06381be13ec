/** A vehicle takes only scripts that a trusted chain has signed, and says why it does not. */
import { expect, test } from 'vitest';
import {
  ScriptRefused,
  type Signer,
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
  expect(await verifyScript(jws, trusted, now)).toEqual({ ...SCRIPT, signedAt: now });
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

test('expired and not yet valid are told apart', async () => {
  const jws = await signScript(SCRIPT, signer, now);
  expect(await refusal(jws, now + 400 * DAY_MS)).toMatch(/signer expired on \d{4}-\d\d-\d\d/);
  expect(await refusal(jws, 0)).toMatch(/valid from .* the clock says 1970-01-01/);
});

test('nothing is signed that no vehicle would accept', async () => {
  const unsignable = (bad: Signer) =>
    signScript(SCRIPT, bad, now).then(
      () => 'signed',
      (error: unknown) => String(error),
    );
  const other = await newSigner(anchor);
  expect(await unsignable({ key: other.key, chain: signer.chain })).toMatch(/of the signing key/);
  const expired = await newSigner(anchor, { from: now - 20 * DAY_MS, to: now - DAY_MS });
  expect(await unsignable(expired)).toMatch(/expired on/);
  const server = await newSigner(anchor, { use: 'server' });
  expect(await unsignable(server)).toMatch(/not for code signing/);
  const authority = await newSigner(anchor, { use: 'authority' });
  expect(await unsignable(authority)).toMatch(/is an authority/);
  expect(await unsignable({ key: signer.key, chain: [] })).toMatch(/contains no certificate/);
  const disordered = [...signer.chain, ...other.chain];
  expect(await unsignable({ key: signer.key, chain: disordered })).toMatch(/is not an authority/);
});

test('what is no signature, and a script without one, are refused', async () => {
  expect(await refusal('nonsense')).toMatch(/cannot be read/);
  const payload = Buffer.from(JSON.stringify(SCRIPT)).toString('base64url');
  const none = Buffer.from('{"alg":"none","typ":"otaops-update-script+jws"}').toString('base64url');
  expect(await refusal(`${none}.${payload}.`)).toMatch(/contains no certificate/);
});
