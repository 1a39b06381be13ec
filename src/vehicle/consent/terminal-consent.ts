/** Asks for consent on the terminal. */
import { createInterface } from 'node:readline/promises';
import { type Readable, type Writable } from 'node:stream';
import { type Consent, type Question } from '../update/equipment.js';

export class TerminalConsent implements Consent {
  readonly #input: Readable;
  readonly #output: Writable;

  constructor(input: Readable = process.stdin, output: Writable = process.stdout) {
    this.#input = input;
    this.#output = output;
  }

  async ask({ text, scriptRefId, bytes }: Question, signal: AbortSignal): Promise<boolean> {
    const terminal = createInterface({ input: this.#input, output: this.#output });
    try {
      this.#output.write(`\n${text}\n(${scriptRefId}, ${bytes} bytes)\n`);
      for (;;) {
        const answer = (await terminal.question('Install it? [yes/no] ', { signal })).trim();
        if (/^y(es)?$/i.test(answer)) return true;
        if (/^no?$/i.test(answer)) return false;
      }
    } finally {
      terminal.close();
    }
  }
}
