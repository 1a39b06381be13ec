/** Update scripts over HTTP, from the CarOTA Server. */
import { type X509Certificate } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { backoffPause, checkOf } from '../contract/index.js';
import { ScriptDelivery, ScriptRefused, verifyScript } from '../update-script/index.js';
import { messageOf } from './fetch-failure.js';
import {
  type ScriptSource,
  SourceUnreachable,
  type Transfer,
  UpdateRefused,
  type VerifiedUpdate,
} from './update/equipment.js';

/** Source of update scripts, and the certificate that vouches for them. */
export interface HttpScriptSourceOptions {
  /** URL of the CarOTA Server, e.g. `https://carota.example`. */
  readonly url: string;
  /** Token for its HTTP interface, with role vehicle. */
  readonly token: string;
  readonly trustAnchors: readonly X509Certificate[];
  /** Maximum number of failed attempts. */
  readonly attempts?: number;
  /** Pause before the second attempt, ms; doubled before each further one. */
  readonly pauseMs?: number;
}

const ATTEMPTS = 8;
const PAUSE_MS = 1_000;
const LONGEST_PAUSE_MS = 60_000;
const TIMEOUT_MS = 30_000;
/** A script with its chain has a few kilobytes. */
const MAX_BYTES = 4 * 1024 * 1024;

const check = checkOf(ScriptDelivery);

export class HttpScriptSource implements ScriptSource {
  readonly #options: HttpScriptSourceOptions;
  /** Where the artifacts of a script are, according to the last answer. */
  readonly #locations = new Map<string, ScriptDelivery['artifacts']>();

  constructor(options: HttpScriptSourceOptions) {
    this.#options = options;
  }

  async fetch(scriptRefId: string, at: number, signal: AbortSignal): Promise<VerifiedUpdate> {
    const { script } = await this.#deliver(scriptRefId, signal);
    try {
      return { script: await verifyScript(script, this.#options.trustAnchors, at) };
    } catch (error) {
      if (!(error instanceof ScriptRefused)) throw error;
      throw new UpdateRefused(error.message, { hasScript: true });
    }
  }

  /**
   * A URL from which an artifact can be downloaded now.
   *
   * @param fresh the previous answer is no longer valid
   * @throws SourceUnreachable
   */
  async locate(
    { scriptRefId, artifact }: Pick<Transfer, 'scriptRefId' | 'artifact'>,
    fresh: boolean,
    signal: AbortSignal,
  ): Promise<string> {
    const known = fresh ? undefined : this.#locations.get(scriptRefId);
    const locations = known ?? (await this.#deliver(scriptRefId, signal)).artifacts;
    const url = locations[artifact.sha256];
    if (url === undefined) throw new SourceUnreachable('the CarOTA Server has no URL for it');
    return new URL(url, this.#options.url).href;
  }

  async #deliver(scriptRefId: string, signal: AbortSignal): Promise<ScriptDelivery> {
    const { attempts = ATTEMPTS, pauseMs = PAUSE_MS } = this.#options;
    for (let attempt = 1; ; attempt++) {
      try {
        const delivery = await this.#deliverOnce(scriptRefId, signal);
        this.#locations.set(scriptRefId, delivery.artifacts);
        return delivery;
      } catch (error) {
        signal.throwIfAborted();
        if (error instanceof Refusal || attempt >= attempts) {
          throw new SourceUnreachable(
            `the update script cannot be fetched: ${messageOf(error as Error)}`,
          );
        }
        const backoff = { firstPauseMs: pauseMs, longestPauseMs: LONGEST_PAUSE_MS };
        await sleep(backoffPause(backoff, attempt, Math.random()), undefined, { signal });
      }
    }
  }

  async #deliverOnce(scriptRefId: string, signal: AbortSignal): Promise<ScriptDelivery> {
    const { url, token } = this.#options;
    const path = `/v1.0/update-scripts/${encodeURIComponent(scriptRefId)}/delivery`;
    const response = await fetch(new URL(path, url), {
      headers: { 'authorization-token': token },
      signal: AbortSignal.any([signal, AbortSignal.timeout(TIMEOUT_MS)]),
    });
    const text = await limitedText(response);
    if (!response.ok) {
      const what = `HTTP ${response.status}`;
      const passes = response.status >= 500 || response.status === 429 || response.status === 408;
      throw passes ? new Error(what) : new Refusal(what);
    }
    const delivery: unknown = JSON.parse(text);
    if (!check.matches(delivery)) throw new Refusal('the answer is not an update script');
    return delivery;
  }
}

/** A retry would get the same answer. */
class Refusal extends Error {
  override readonly name = 'Refusal';
}

async function limitedText(response: Response): Promise<string> {
  let text = '';
  if (!response.body) return text;
  const decoder = new TextDecoder();
  for await (const chunk of response.body) {
    text += decoder.decode(chunk as Uint8Array, { stream: true });
    if (text.length > MAX_BYTES) throw new Refusal('the answer is too long for an update script');
  }
  return text + decoder.decode();
}
