/**
 * A page that represents the vehicle's screen (IVI): shows the progress, asks for consent, and lets the user pause,
 * resume and cancel. `GET /state` returns the same for an app, which acts through the page's form.
 */
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { type AddressInfo, isIP } from 'node:net';
import { type Consent, type Question } from '../update/equipment.js';
import { type UpdateRunner } from '../update/update-runner.js';

const ACTIONS = ['accept', 'refuse', 'pause', 'resume', 'cancel'] as const;
type Action = (typeof ACTIONS)[number];

/** Forms of this page are a few bytes long. */
const MAX_BODY = 1_024;
const REFRESH_SECONDS = 2;

/** The part of {@link UpdateRunner} that the page’s buttons use. */
export type UpdateControls = Pick<UpdateRunner, 'current' | 'pause' | 'resume' | 'cancel'>;

export class IviPage implements Consent {
  /** Protects against forged forms: a foreign page does not know this token. */
  readonly #formToken = randomBytes(16).toString('hex');
  readonly #server: Server;
  /** Host name that it listens on. */
  #host = '';
  #asked: { readonly question: Question; readonly answer: (accepted: boolean) => void } | undefined;
  #controls: UpdateControls | undefined;

  constructor() {
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
    try {
      return await new Promise<boolean>((resolve, reject) => {
        this.#asked = { question, answer: resolve };
        signal.addEventListener('abort', () => reject(signal.reason as Error), { once: true });
      });
    } finally {
      this.#asked = undefined;
    }
  }

  async #handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { method = 'GET', url = '/' } = request;
    if (!this.#isOwn(request)) {
      response.writeHead(403).end();
    } else if (method === 'GET' && url === '/state') {
      response.writeHead(200, { 'content-type': 'application/json' });
      response.end(JSON.stringify(this.#state()));
    } else if (method === 'GET' && url === '/') {
      response.writeHead(200, {
        'content-type': 'text/html; charset=utf-8',
        'content-security-policy':
          "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
        // For browsers without support for frame-ancestors.
        'x-frame-options': 'DENY',
        'cache-control': 'no-store',
        refresh: String(REFRESH_SECONDS),
      });
      response.end(this.#page());
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
    else {
      const done = this.#do(action);
      response.writeHead(done ? 303 : 409, { location: '/' }).end();
    }
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

  #page(): string {
    const { phase, paused, question } = this.#state();
    const asked = question
      ? `<p${question.language === undefined ? '' : ` lang="${escaped(question.language)}"`}>${escaped(question.text)}</p><p>${question.bytes} bytes</p>${this.#buttons('accept', 'refuse')}`
      : '';
    const controls = phase === 'idle' ? '' : this.#buttons(paused ? 'resume' : 'pause', 'cancel');
    return `<!doctype html><html lang="en"><meta charset="utf-8"><title>Vehicle update</title>
<style>body{font:1.3rem system-ui;max-width:40rem;margin:3rem auto}button{font:inherit;margin-right:1rem}</style>
<h1>Vehicle update</h1><p>${phase === 'idle' ? 'Everything is up to date.' : `Now: ${phase}${paused ? ', paused' : ''}`}</p>
${asked}${controls}</html>`;
  }

  #buttons(...actions: Action[]): string {
    const buttons = actions.map(
      (action) => `<button name="action" value="${action}">${action}</button>`,
    );
    return `<form method="post" action="/"><input type="hidden" name="token" value="${this.#formToken}">${buttons.join('')}</form>`;
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

const escaped = (text: string) =>
  text
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;');
