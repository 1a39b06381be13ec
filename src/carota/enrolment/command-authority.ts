/**
 * An authority behind a command: it is given the request (PKCS #10, PEM) on standard input and the `system_id` as
 * OTAOPS_SYSTEM_ID, and prints the certificate (PEM). What it prints is checked like anything from outside.
 */
import { spawn } from 'node:child_process';
import {
  type CertificateAuthority,
  type CheckedRequest,
  AuthorityUnavailable,
} from './authority.js';
import { readCertificate, readPem, writePem } from '../../x509/index.js';
import { vehicleNameIn } from '../../service/vehicle-tls/index.js';

const TIMEOUT_MS = 20_000;
const MAX_OUTPUT = 256 * 1024;

export class CommandAuthority implements CertificateAuthority {
  readonly chain: readonly Uint8Array[];
  readonly #command: string;

  /** @param chain of the authority behind the command, in DER */
  constructor(command: string, chain: readonly Uint8Array[]) {
    this.#command = command;
    this.chain = chain;
  }

  async issue({ systemId, publicKeyInfo, request }: CheckedRequest): Promise<Uint8Array> {
    const printed = await run(this.#command, systemId, writePem(request, 'CERTIFICATE REQUEST'));
    try {
      const [der] = readPem(printed, 'CERTIFICATE');
      if (!der) throw new Error('it has printed no certificate');
      const certificate = readCertificate(der);
      if (!certificate.publicKeyInfo.bytes.equals(publicKeyInfo)) {
        throw new Error('its certificate is for another key');
      }
      if (vehicleNameIn(certificate) !== systemId)
        throw new Error('its certificate has another name');
      return der;
    } catch (error) {
      throw new AuthorityUnavailable(`the command of the authority: ${(error as Error).message}`);
    }
  }
}

function run(command: string, systemId: string, input: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const { PATH, HOME } = process.env;
    // Nothing else of our environment, which has the server's secrets.
    const child = spawn('/bin/sh', ['-c', command], {
      env: { PATH, HOME, OTAOPS_SYSTEM_ID: systemId },
      stdio: ['pipe', 'pipe', 'ignore'],
      timeout: TIMEOUT_MS,
      killSignal: 'SIGKILL',
    });
    let output = '';
    child.stdout.on(
      'data',
      (chunk: Buffer) => (output = (output + chunk.toString()).slice(-MAX_OUTPUT)),
    );
    child.stdin.on('error', () => undefined);
    child.on('error', (error) => reject(new AuthorityUnavailable(error.message)));
    child.on('close', (code, signal) => {
      if (code === 0) resolve(output);
      else
        reject(
          new AuthorityUnavailable(`the command of the authority ended with ${code ?? signal}`),
        );
    });
    child.stdin.end(input);
  });
}
