/** Suppliers, their delegations, and a CarOTA Server that delegates to them: the setup for tests of deliveries. */
import { createHash } from 'node:crypto';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect } from 'vitest';
import { type DelegationContent } from '../../../src/uptane/repository/targets-content.js';
import { generateKey } from '../../../src/uptane/signing/generate-key.js';
import { localSigner } from '../../../src/uptane/signing/local-signer.js';
import { signMetadata, type WrittenEnvelope } from '../../../src/uptane/signing/sign.js';
import { type Signer } from '../../../src/uptane/signing/signer.js';
import { days, makeSigner, TestClient } from '../../uptane/repository/support.js';
import { startSupplierServer, type SupplierServer } from './supplier-server.js';

export const radio = [makeSigner(), makeSigner(), makeSigner()] as const;
export const brakes = makeSigner();
export const laboratory = makeSigner();
/** The key of a supplier that uses our command line. */
export const cliKey = generateKey('ecdsa');
const cli = localSigner(cliKey);

const roleOf = (name: string, signers: readonly Signer[], threshold: number) => ({
  name,
  keyIds: signers.map(({ keyId }) => keyId),
  threshold,
});
export const delegationTo = (
  name: string,
  signers: readonly Signer[],
  paths: string[],
  more: Partial<DelegationContent> & { readonly threshold?: number } = {},
): DelegationContent => {
  const { threshold = 1, ...rest } = more;
  return {
    roles: [roleOf(name, signers, threshold)],
    minRolesInAgreement: undefined,
    paths,
    isTerminating: false,
    hardwareIds: undefined,
    ...rest,
  };
};

const delegations = [
  // Precedes the radio supplier's own delegation for some of its paths.
  delegationTo('brakes', [brakes], ['brakes/*', 'radio/shared*']),
  delegationTo('cli', [cli], ['cli/*']),
  delegationTo('locked', [brakes], ['radio/locked*'], { isTerminating: true }),
  delegationTo('radio', radio, ['radio/*'], { threshold: 2, hardwareIds: ['hw-a', 'hw-b'] }),
  {
    ...delegationTo('first', [laboratory], ['agreed/*']),
    roles: [roleOf('first', [laboratory], 1), roleOf('second', [brakes], 1)],
    minRolesInAgreement: 2,
  },
];

/** The images of a role by their path. */
export type Listed = Readonly<
  Record<string, { readonly content: string; readonly hw?: string[]; readonly rc?: number }>
>;

export const targetsOf = (listed: Listed) =>
  Object.fromEntries(
    Object.entries(listed).map(([path, { content, hw = ['hw-a'], rc = 1 }]) => {
      const digest = (name: string) => createHash(name).update(content).digest('hex');
      return [
        path,
        {
          length: Buffer.byteLength(content),
          hashes: { sha256: digest('sha256'), sha512: digest('sha512') },
          custom: { match: { hardwareIds: hw, releaseCounter: rc } },
        },
      ];
    }),
  );

/** The signed part of a supplier's file. */
export const signedPart = (version: number, listed: Listed, changes: object = {}) => ({
  _type: 'targets',
  spec_version: '1.0.31',
  version,
  expires: `${days(30, new Date()).toISOString().slice(0, 19)}Z`,
  targets: targetsOf(listed),
  ...changes,
});

/** Call it once at the top level of a test file. The server lasts as long as the file. */
export function suppliersOfFile() {
  let server: SupplierServer;
  beforeAll(async () => {
    const keys = [...radio, brakes, laboratory, cli].map(({ key }) => key);
    server = await startSupplierServer(delegations, keys, (ceremony) =>
      ceremony.sign(...radio.slice(0, 2), brakes, laboratory, cli),
    );
  });
  afterAll(() => server.stop());

  const versionOf = async (role: string): Promise<number> =>
    (await server.ceremony.repository.status(new Date())).published.find(
      (file) => file.role === role,
    )?.version ?? 0;

  /** A file of the next version, signed by two of the radio supplier's keys. */
  const radioFile = async (
    listed: Listed,
    { version, signers = radio.slice(0, 2), ...changes }: any = {},
  ): Promise<WrittenEnvelope> =>
    signMetadata(
      signedPart(version ?? (await versionOf('radio')) + 1, listed, changes),
      signers as Signer[],
    );

  const deliver = (roles: Record<string, unknown>, token = server.token) =>
    server.carota.call('POST', '/v1.0/image-repository/deliveries', { token, body: { roles } });

  const send = (content: string, bytes = content, token = server.token) => {
    const sha256 = createHash('sha256').update(content).digest('hex');
    return server.carota.call('PUT', `/v1.0/image-repository/images/${sha256}`, {
      token,
      headers: { 'content-type': 'application/octet-stream' },
      body: Buffer.from(bytes),
    });
  };

  /** Delivers, uploads what is missing, and delivers again. */
  async function deliverAll(roles: Record<string, WrittenEnvelope>, contents: string[]) {
    expect((await deliver(roles)).body).toMatchObject({ state: 'incomplete' });
    for (const content of contents) expect((await send(content)).status).toBe(204);
    const { body } = await deliver(roles);
    expect(body).toMatchObject({ state: 'published', missing: [] });
  }

  const found = (path: string) =>
    TestClient.ofFolder(server.ceremony.folder).find(server.ceremony.folder, path, new Date());

  const files = () => readdirSync(join(server.ceremony.folder, 'metadata')).sort();

  /** Expects that it is refused with this fault, and changes nothing. */
  async function expectRefused(roles: Record<string, unknown>, fault: RegExp): Promise<void> {
    const before = files();
    const { status, body } = await deliver(roles);
    expect([status, body.errorCode]).toEqual([409, 'DELIVERY_REFUSED']);
    expect(body.errors.map(({ message }: any) => message).join('\n')).toMatch(fault);
    expect(files()).toEqual(before);
  }

  return {
    get ceremony() {
      return server.ceremony;
    },
    get carota() {
      return server.carota;
    },
    /** A token of the role `supplier`. */
    get token() {
      return server.token;
    },
    ...{ versionOf, radioFile, deliver, send, deliverAll, found, files, expectRefused },
  };
}
