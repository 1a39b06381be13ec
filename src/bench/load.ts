/** A load of vehicles, in a separate process with its own event loop. */
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';

export type LoadRequest =
  | {
      readonly kind: 'connect';
      readonly port: number;
      /** A line for each vehicle: VIN, system_id and trigger. */
      readonly vehiclesFile: string;
      readonly refId: string;
      /** Makes the message ids of this run its own. */
      readonly run: string;
      readonly connections: number;
      /** `d2c/`, or another one that no adapter listens to. */
      readonly topicPrefix?: string;
      /** Each connection is one vehicle, with its credential. */
      readonly asVehicles: boolean;
      /** Topic filter of the messages to count. */
      readonly listenTo?: string;
    }
  | {
      readonly kind: 'publish';
      readonly from: number;
      readonly count: number;
      /** Messages that a connection may have under way. */
      readonly window: number;
    }
  | { readonly kind: 'steady'; readonly from: number; readonly perSecond: number }
  | { readonly kind: 'received' };

export type LoadAnswer =
  | { readonly kind: 'done'; readonly seconds: number }
  | { readonly kind: 'received'; readonly messages: number }
  | { readonly kind: 'failed'; readonly message: string };

type Connect = Omit<Extract<LoadRequest, { kind: 'connect' }>, 'kind'>;

export class Load {
  readonly #child: ChildProcess = fork(new URL('./load-process.js', import.meta.url));

  async connect(options: Connect): Promise<void> {
    await this.#ask({ kind: 'connect', ...options });
  }

  /** @returns seconds from the first message to the last PUBACK */
  async publish(from: number, count: number, window: number): Promise<number> {
    const answer = await this.#ask({ kind: 'publish', from, count, window });
    return answer.kind === 'done' ? answer.seconds : NaN;
  }

  /** Publishes at a rate in the background, until it connects again or ends. */
  async publishSteadily(from: number, perSecond: number): Promise<void> {
    await this.#ask({ kind: 'steady', from, perSecond });
  }

  /** Messages that were received since it connected. */
  async received(): Promise<number> {
    const answer = await this.#ask({ kind: 'received' });
    return answer.kind === 'received' ? answer.messages : NaN;
  }

  async end(): Promise<void> {
    const exit = once(this.#child, 'exit');
    this.#child.disconnect();
    await exit;
  }

  /** One request at a time. */
  async #ask(request: LoadRequest): Promise<LoadAnswer> {
    const answered = once(this.#child, 'message') as Promise<[LoadAnswer]>;
    this.#child.send(request);
    const [answer] = await answered;
    if (answer.kind === 'failed') throw new Error(`the load: ${answer.message}`);
    return answer;
  }
}
