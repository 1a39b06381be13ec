/** A vehicle's link that sends each message twice while that is switched on. */
import { type CloudLink, type CloudLinkHandlers } from '../vehicle/index.js';

export class FaultyLink implements CloudLink {
  readonly #link: CloudLink;
  duplicates = false;

  constructor(link: CloudLink) {
    this.#link = link;
  }

  get isUp(): boolean {
    return this.#link.isUp;
  }

  open(handlers: CloudLinkHandlers): void {
    this.#link.open(handlers);
  }

  async publish(payload: Buffer): Promise<void> {
    await this.#link.publish(payload);
    if (this.duplicates) await this.#link.publish(payload);
  }

  close(): Promise<void> {
    return this.#link.close();
  }
}
