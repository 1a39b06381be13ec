/** Sends a message over the channel of a rule. */
import { createTransport } from 'nodemailer';
import { type NotificationChannel } from '../../contract/carota-api/index.js';
import { type Poster, signatureHeaders } from '../../service/outgoing/index.js';
import { emailOf, type Message, slackBody, teamsBody, webhookBody } from './messages.js';

/** Destination of a rule. */
export interface Target {
  readonly url?: string | undefined;
  readonly to?: readonly string[] | undefined;
  /** Of channel webhook: signs. */
  readonly secret?: string | undefined;
}

export interface SmtpSettings {
  /** `smtp://` or `smtps://`, with user and password. */
  readonly url: string;
  /** Sender's address. */
  readonly from: string;
}

const SMTP_TIMEOUT_MS = 15_000;

export class Channels {
  readonly #poster: Poster;
  readonly #smtp: SmtpSettings | undefined;

  constructor(poster: Poster, smtp: SmtpSettings | undefined) {
    this.#poster = poster;
    this.#smtp = smtp;
  }

  get hasEmail(): boolean {
    return this.#smtp !== undefined;
  }

  /** @throws ForbiddenAddress where the URL itself contains a forbidden address */
  check(url: string): void {
    this.#poster.check(url);
  }

  /**
   * @param now ms
   * @returns what went wrong although it was delivered; undefined: nothing
   * @throws Error with the reason if it was not delivered
   */
  async send(
    channel: NotificationChannel,
    target: Target,
    message: Message,
    now: number,
  ): Promise<string | undefined> {
    if (channel === 'email') return this.#email(target.to ?? [], message);
    const { url = '', secret } = target;
    const body = BODIES[channel](message);
    const headers = secret === undefined ? {} : signatureHeaders(message.id, now, body, [secret]);
    await this.#poster.post(url, headers, body);
    return undefined;
  }

  close(): void {
    this.#poster.close();
  }

  async #email(to: readonly string[], message: Message): Promise<string | undefined> {
    if (!this.#smtp) throw new Error('no SMTP server is set (--smtp-url)');
    const transport = createTransport({
      url: this.#smtp.url,
      connectionTimeout: SMTP_TIMEOUT_MS,
      greetingTimeout: SMTP_TIMEOUT_MS,
      socketTimeout: SMTP_TIMEOUT_MS,
      // A message is our own text: nothing in it names a file or a URL to be fetched.
      disableFileAccess: true,
      disableUrlAccess: true,
    });
    try {
      const sent = await transport.sendMail({
        from: this.#smtp.from,
        to: [...to],
        date: message.at,
        ...emailOf(message),
      });
      if (sent.rejected.length === 0) return undefined;
      const refused = `the server refused ${sent.rejected.map(String).join(', ')}`;
      if (sent.accepted.length === 0) throw new Error(refused);
      // The other recipients have it: sending again because of these would send each of them another e-mail.
      return refused;
    } finally {
      transport.close();
    }
  }
}

const BODIES = { webhook: webhookBody, slack: slackBody, teams: teamsBody } as const;
