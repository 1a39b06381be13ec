/** Consent without a question: the answer is preset. */
import { type Consent } from '../update/equipment.js';

export class AutomaticConsent implements Consent {
  readonly #answer: boolean;

  constructor(answer: boolean) {
    this.#answer = answer;
  }

  ask(): Promise<boolean> {
    return Promise.resolve(this.#answer);
  }
}
