/** Passphrases and PINs: from a file, a descriptor, or a terminal prompt; never from the command line. */
import { readFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { UsageError } from './usage-error.js';

export interface PassphraseFlags {
  readonly passphraseFile?: string;
  readonly passphraseFd?: number;
}

/** Reads each source once, however many keys use it. */
export function passphraseSource(flags: PassphraseFlags): (what: string) => Promise<string> {
  const { passphraseFile, passphraseFd } = flags;
  let given: string | undefined;
  return async (what) => {
    if (passphraseFile !== undefined) given ??= firstLine(await readFile(passphraseFile, 'utf8'));
    if (passphraseFd !== undefined) given ??= firstLine(readFileSync(passphraseFd, 'utf8'));
    return given ?? askHidden(`${what}: `);
  };
}

/** For a new key: prompts twice on a terminal. @throws UsageError if the entries differ */
export async function newPassphrase(flags: PassphraseFlags, what: string): Promise<string> {
  const ask = passphraseSource(flags);
  const first = await ask(what);
  const isAsked = flags.passphraseFile === undefined && flags.passphraseFd === undefined;
  if (isAsked && (await ask(`${what} again`)) !== first) {
    throw new UsageError('the two passphrases differ');
  }
  return first;
}

const firstLine = (text: string) => text.split(/\r?\n/)[0] ?? '';

const CTRL_C = '\u0003';
const CTRL_D = '\u0004';
const BACKSPACES = ['\u007f', '\b'];

/** Reads without echo. @throws UsageError without a terminal, or if aborted */
async function askHidden(question: string): Promise<string> {
  const { stdin, stderr } = process;
  if (!stdin.isTTY) {
    throw new UsageError(
      `${question.replace(/: $/, '')} can only be entered on a terminal; without one, use --passphrase-file or --passphrase-fd`,
    );
  }
  // Before the prompt: otherwise the first characters of fast typing or pasting would be echoed.
  stdin.setRawMode(true);
  stderr.write(question);
  stdin.resume();
  stdin.setEncoding('utf8');
  try {
    return await new Promise<string>((resolve, reject) => {
      let typed = '';
      const take = (text: string) => {
        for (const character of text) {
          if (character === '\r' || character === '\n') {
            stdin.off('data', take);
            resolve(typed);
            return;
          }
          if (character === CTRL_C || character === CTRL_D) {
            stdin.off('data', take);
            reject(new UsageError('no passphrase was given'));
            return;
          }
          typed = BACKSPACES.includes(character)
            ? Array.from(typed).slice(0, -1).join('')
            : typed + character;
        }
      };
      stdin.on('data', take);
    });
  } finally {
    stdin.setRawMode(false);
    stdin.pause();
    stderr.write('\n');
  }
}
