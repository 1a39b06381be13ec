/**
 * A page that represents the vehicle's screen (IVI): shows the progress, asks for consent, and lets the user pause, resume
 * and cancel. `GET /state` returns the same for an app, which acts through the page's form. Its content is in
 * `ivi-screen.ts`.
 */
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { type AddressInfo, isIP } from 'node:net';
import { type Consent, type Question } from '../update/equipment.js';
import { type UpdateRunner } from '../update/update-runner.js';
import { SCRIPT, STYLE } from './ivi-assets.js';
import { type Action, screenHtml } from './ivi-screen.js';

const ACTIONS: readonly Action[] = ['accept', 'refuse', 'pause', 'resume', 'cancel'];

/** Forms of this page are a few bytes long. */
const MAX_BODY = 1_024;
const TOO_LATE = 'That is no longer possible.';

const ASSETS: ReadonlyMap<string, { readonly type: string; readonly text: string }> = new Map([
  ['/page.css', { type: 'text/css', text: STYLE }],
  ['/page.js', { type: 'text/javascript', text: SCRIPT }],
]);

/** The part of {@link UpdateRunner} that the page’s buttons use. */
export type UpdateControls = Pick<UpdateRunner, 'current' | 'pause' | 'resume' | 'cancel'>;

interface Asked {
  readonly question: Question;
  readonly answer: (accepted: boolean) => void;
}

export class IviPage implements Consent {
  /** Protects against forged forms: a foreign page does not know this token. */
  readonly #formToken = randomBytes(16).toString('hex');
  readonly #server: Server;
  /** Host name that it listens on. */
  #host = '';
  #asked: Asked | undefined;
  #controls: UpdateControls | undefined;

  /** @param timeZone of the vehicle, an IANA name; undefined: the system's */
  constructor(private readonly timeZone?: string) {
    this.#server = createServer((request, response) => {
      this.#handle(request, response).catch(() => {
        response.writeHead(400).end();
      });
    });
  }

  /** Connects the user's buttons. */
  control(controls: UpdateControls): void {
    this.#controls = controls;
  }

  /** @param port 0: any free one @returns its URL */
  async listen(host: string, port: number): Promise<string> {
    this.#host = host;
    this.#server.listen(port, host);
    await once(this.#server, 'listening');
    return `http://${host}:${(this.#server.address() as AddressInfo).port}`;
  }

  /** Closes the page’s server. */
  async close(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  async ask(question: Question, signal: AbortSignal): Promise<boolean> {
    signal.throwIfAborted();
    let asked: Asked | undefined;
    try {
      return await new Promise<boolean>((resolve, reject) => {
        asked = { question, answer: resolve };
        this.#asked = asked;
        signal.addEventListener('abort', () => reject(signal.reason as Error), { once: true });
      });
    } finally {
      // Another question may have taken its place.
      if (this.#asked === asked) this.#asked = undefined;
    }
  }

  async #handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { method = 'GET', url = '/' } = request;
    const asset = ASSETS.get(url);
    if (!this.#isOwn(request)) {
      response.writeHead(403).end();
    } else if (method === 'GET' && url === '/state') {
      response.writeHead(200, { 'content-type': 'application/json' });
      response.end(JSON.stringify(this.#state()));
    } else if (method === 'GET' && url === '/') {
      this.#show(response, 200);
    } else if (method === 'GET' && asset) {
      response.writeHead(200, {
        'content-type': `${asset.type}; charset=utf-8`,
        'x-content-type-options': 'nosniff',
      });
      response.end(asset.text);
    } else if (method === 'POST' && url === '/') {
      await this.#act(new URLSearchParams(await bodyOf(request)), response);
    } else {
      response.writeHead(404).end();
    }
  }

  /**
   * Whether the request addresses this page and comes from it. Rejects host names that a foreign site resolves to this
   * machine (DNS rebinding) and forms of other origins (RFC 6454, section 7).
   */
  #isOwn({ headers: { host = '', origin } }: IncomingMessage): boolean {
    if (origin !== undefined && origin !== `http://${host}`) return false;
    if (!URL.canParse(`http://${host}`)) return false;
    const name = new URL(`http://${host}`).hostname.replace(/^\[|\]$/g, '');
    return name === 'localhost' || name === this.#host || isIP(name) > 0;
  }

  async #act(form: URLSearchParams, response: ServerResponse): Promise<void> {
    const action = form.get('action') as Action;
    if (form.get('token') !== this.#formToken) response.writeHead(403).end();
    else if (!ACTIONS.includes(action)) response.writeHead(400).end();
    else if (this.#do(action)) response.writeHead(303, { location: '/' }).end();
    else this.#show(response, 409, TOO_LATE);
  }

  #do(action: Action): boolean {
    switch (action) {
      case 'accept':
      case 'refuse':
        this.#asked?.answer(action === 'accept');
        return this.#asked !== undefined;
      default:
        return this.#controls?.[action]() ?? false;
    }
  }

  #state() {
    const current = this.#controls?.current;
    return {
      phase: current?.phase ?? 'idle',
      paused: current?.facts.paused ?? false,
      question: this.#asked?.question ?? null,
    };
  }

  #show(response: ServerResponse, status: number, notice?: string): void {
    const { current } = this.#controls ?? {};
    const phase = current?.phase;
    response.writeHead(status, {
      'content-type': 'text/html; charset=utf-8',
      'content-security-policy':
        "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
      // For browsers without support for frame-ancestors.
      'x-frame-options': 'DENY',
      'x-content-type-options': 'nosniff',
      'cache-control': 'no-store',
    });
    response.end(
      screenHtml({
        phase: phase === 'ended' ? undefined : phase,
        paused: current?.facts.paused ?? false,
        question: this.#asked?.question,
        script: current?.facts.script,
        state: JSON.stringify(this.#state()),
        notice,
        formToken: this.#formToken,
        timeZone: this.timeZone,
      }),
    );
  }
}

async function bodyOf(request: IncomingMessage): Promise<string> {
  let body = '';
  for await (const chunk of request) {
    body += (chunk as Buffer).toString();
    if (body.length > MAX_BODY) throw new Error('the body is too long');
  }
  return body;
}
