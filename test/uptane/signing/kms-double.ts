/**
 * AWS KMS from its client's point of view: the JSON 1.1 protocol of `GetPublicKey` and `Sign` over HTTP. The keys are
 * real, and OpenSSL signs with them.
 */
import { execFileSync } from 'node:child_process';
import { createPublicKey } from 'node:crypto';
import { rmSync, writeFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { type AddressInfo } from 'node:net';
import { join } from 'node:path';
import { temporaryDirectory } from '../../support/servers.js';

const REGION = 'eu-central-1';

/** The ARN of the key with this name. */
export const arnOf = (name: string): string => `arn:aws:kms:${REGION}:111122223333:alias/${name}`;

interface Key {
  /** File with the private key, PEM. */
  file: string;
  readonly usage: string;
  readonly algorithms: readonly string[];
}

interface Asked {
  readonly operation: string;
  readonly body: Readonly<Record<string, string>>;
}

/** Options of `openssl genpkey` by KMS key spec, and of `openssl pkeyutl` by signing algorithm. */
const GENERATE = {
  ECC_NIST_P256: ['-algorithm', 'EC', '-pkeyopt', 'ec_paramgen_curve:P-256'],
  ECC_NIST_P384: ['-algorithm', 'EC', '-pkeyopt', 'ec_paramgen_curve:P-384'],
  RSA_2048: ['-algorithm', 'RSA', '-pkeyopt', 'rsa_keygen_bits:2048'],
  ECC_NIST_EDWARDS25519: ['-algorithm', 'ED25519'],
} as const;
const SIGN: Readonly<Record<string, readonly string[]>> = {
  ECDSA_SHA_256: ['-pkeyopt', 'digest:sha256'],
  RSASSA_PSS_SHA_256: [
    ...['-pkeyopt', 'digest:sha256', '-pkeyopt', 'rsa_padding_mode:pss'],
    ...['-pkeyopt', 'rsa_pss_saltlen:digest'],
  ],
  ED25519_SHA_512: ['-rawin'],
};
const ALGORITHMS = {
  ECC_NIST_P256: ['ECDSA_SHA_256'],
  ECC_NIST_P384: ['ECDSA_SHA_384'],
  RSA_2048: ['RSASSA_PKCS1_V1_5_SHA_256', 'RSASSA_PSS_SHA_256'],
  ECC_NIST_EDWARDS25519: ['ED25519_SHA_512', 'ED25519_PH_SHA_512'],
} as const;

export class KmsDouble {
  readonly asked: Asked[] = [];
  /** If set, every request is answered with this KMS error. */
  error: { readonly status: number; readonly type: string; readonly message: string } | undefined;
  readonly #folder = temporaryDirectory('kms');
  readonly #keys = new Map<string, Key>();
  readonly #server = createServer((request, response) => void this.#answer(request, response));

  async start(): Promise<string> {
    await new Promise<void>((resolve) => this.#server.listen(0, '127.0.0.1', resolve));
    const { port } = this.#server.address() as AddressInfo;
    return `http://127.0.0.1:${port}`;
  }

  stop(): void {
    this.#server.closeAllConnections();
    this.#server.close();
    rmSync(this.#folder, { recursive: true, force: true });
  }

  /** @returns its ARN */
  make(
    name: string,
    spec: keyof typeof GENERATE,
    { usage = 'SIGN_VERIFY', algorithms }: Partial<Pick<Key, 'usage' | 'algorithms'>> = {},
  ): string {
    const file = join(this.#folder, `${name}.pem`);
    execFileSync('openssl', ['genpkey', ...GENERATE[spec], '-out', file], { stdio: 'ignore' });
    this.#keys.set(arnOf(name), { file, usage, algorithms: algorithms ?? ALGORITHMS[spec] });
    return arnOf(name);
  }

  /** Points the alias to the other key from now on. */
  point(name: string, other: string): void {
    const [from, to] = [this.#keys.get(arnOf(name)), this.#keys.get(arnOf(other))];
    if (from && to) from.file = to.file;
  }

  publicKeyFile(name: string): string {
    const file = join(this.#folder, `${name}.public.pem`);
    const key = this.#keys.get(arnOf(name))?.file ?? '';
    execFileSync('openssl', ['pkey', '-in', key, '-pubout', '-out', file]);
    return file;
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const body = JSON.parse(Buffer.concat(chunks).toString()) as Asked['body'];
    const operation = String(request.headers['x-amz-target']).replace(/^TrentService\./, '');
    this.asked.push({ operation, body });
    const send = (status: number, content: object) => {
      response.writeHead(status, { 'content-type': 'application/x-amz-json-1.1' });
      response.end(JSON.stringify(content));
    };
    const refuse = (status: number, type: string, message: string) =>
      send(status, { __type: type, message });
    // AWS Signature Version 4: a client without credentials for this region and service has no signature.
    const scope = new RegExp(`Credential=AKIDEXAMPLE/\\d{8}/${REGION}/kms/aws4_request`);
    if (!scope.test(request.headers.authorization ?? '')) {
      refuse(400, 'MissingAuthenticationTokenException', 'Missing Authentication Token');
      return;
    }
    const { error } = this;
    if (error) {
      refuse(error.status, error.type, error.message);
      return;
    }
    const key = this.#keys.get(body.KeyId ?? '');
    if (!key) {
      refuse(400, 'NotFoundException', `Alias ${body.KeyId} is not found.`);
      return;
    }
    const { file, usage, algorithms } = key;
    if (operation === 'GetPublicKey') {
      const pem = execFileSync('openssl', ['pkey', '-in', file, '-pubout']);
      const der = createPublicKey(pem).export({ type: 'spki', format: 'der' });
      const content = { KeyId: body.KeyId, KeyUsage: usage, SigningAlgorithms: algorithms };
      send(200, { ...content, PublicKey: der.toString('base64') });
      return;
    }
    const algorithm = body.SigningAlgorithm ?? '';
    const message = Buffer.from(body.Message ?? '', 'base64');
    if (operation !== 'Sign' || !algorithms.includes(algorithm)) {
      refuse(400, 'InvalidKeyUsageException', `${algorithm} is not of this key`);
      return;
    }
    if (body.MessageType === 'DIGEST' ? message.length !== 32 : message.length > 4_096) {
      refuse(400, 'ValidationException', 'Message has an invalid length');
      return;
    }
    const input = join(this.#folder, 'message');
    writeFileSync(input, message);
    const options = ['pkeyutl', '-sign', '-inkey', file, '-in', input, ...(SIGN[algorithm] ?? [])];
    const signature = execFileSync('openssl', options).toString('base64');
    send(200, { KeyId: body.KeyId, Signature: signature, SigningAlgorithm: algorithm });
  }
}
