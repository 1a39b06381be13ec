/**
 * An authority behind a command, which receives the request (PKCS #10, PEM) on standard input and the `system_id` in
 * OTAOPS_SYSTEM_ID, and prints the certificate (PEM). Its output is verified like any external input.
 */
import { spawn } from 'node:child_process';
import {
  type CertificateAuthority,
  type CheckedRequest,
  AuthorityUnavailable,
} from './authority.js';
import { Turns } from './turns.js';
import { readCertificate, readPem, writePem } from '../../x509/index.js';
import { vehicleNameIn } from '../../service/vehicle-tls/index.js';

const TIMEOUT_MS = 20_000;
const MAX_OUTPUT = 256 * 1024;
/** Maximum number of concurrent processes of this server; further requests wait. */
const MOST_RUNNING = 4;
const MOST_WAITING = 100;

interface CommandAuthorityOptions {
  readonly command: string;
  readonly timeoutMs: number;
}

export class CommandAuthority implements CertificateAuthority {
  readonly chain: readonly Uint8Array[];
  readonly #options: CommandAuthorityOptions;
  readonly #turns = new Turns(MOST_RUNNING, MOST_WAITING);

  /** @param chain of the authority behind the command, in DER @param timeoutMs for one certificate */
  constructor(command: string, chain: readonly Uint8Array[], timeoutMs = TIMEOUT_MS) {
    this.#options = { command, timeoutMs };
    this.chain = chain;
  }

  async issue({ systemId, publicKeyInfo, request }: CheckedRequest): Promise<Uint8Array> {
    const input = writePem(request, 'CERTIFICATE REQUEST');
    const turn = this.#turns.take(() => run(this.#options, systemId, input));
    if (!turn) throw new AuthorityUnavailable('too many vehicles wait for the authority');
    const printed = await turn;
    try {
      const [der] = readPem(printed, 'CERTIFICATE');
      if (!der) throw new Error('it printed no certificate');
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

/** @throws AuthorityUnavailable */
function run(
  { command, timeoutMs }: CommandAuthorityOptions,
  systemId: string,
  input: string,
): Promise<string> {
  return new Promise((resolve, reject) => {
    const { PATH, HOME } = process.env;
    // Nothing else from our environment, which contains the server's secrets.
    const child = spawn('/bin/sh', ['-c', command], {
      env: { PATH, HOME, OTAOPS_SYSTEM_ID: systemId },
      stdio: ['pipe', 'pipe', 'ignore'],
      // A separate process group, so that everything the shell has started can be ended with it.
      detached: true,
    });
    const fail = (why: string) => {
      clearTimeout(timer);
      reject(new AuthorityUnavailable(`the command of the authority ${why}`));
    };
    // Do not wait for its last process to close the output.
    const stop = (why: string) => {
      endGroup(child.pid);
      child.stdout.destroy();
      fail(why);
    };
    const timer = setTimeout(() => stop(`took more than ${timeoutMs / 1000} s`), timeoutMs);
    let output = '';
    child.stdout.on('data', (chunk: Buffer) => {
      output += chunk.toString();
      if (output.length > MAX_OUTPUT) stop('printed too much');
    });
    child.stdin.on('error', () => undefined);
    child.on('error', ({ message }) => fail(`was not started: ${message}`));
    child.on('close', (code, signal) => {
      clearTimeout(timer);
      if (code === 0) resolve(output);
      else fail(`ended with ${code ?? signal}`);
    });
    child.stdin.end(input);
  });
}

function endGroup(pid: number | undefined): void {
  if (pid === undefined) return;
  try {
    process.kill(-pid, 'SIGKILL');
  } catch {
    // It has ended.
  }
}
