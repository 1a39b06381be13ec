/** The warning with which Node.js reports more than ten listeners of one event, of one emitter or signal. */
const NAME = 'MaxListenersExceededWarning';

export const isListenerLeak = (warning: unknown): warning is Error =>
  warning instanceof Error && warning.name === NAME;

/** Whether the output of a Node.js process has such a warning, as plain text or in its log. */
export const hasListenerLeak = (output: string): boolean => output.includes(NAME);

/** Passes on the warning of a child process, so that it counts as one of this process. */
export function passOnListenerLeak(command: string, output: string): void {
  const line = output.split('\n').find(hasListenerLeak);
  const warning = new Error(`${command}: ${line}`);
  warning.name = NAME;
  process.emitWarning(warning);
}
