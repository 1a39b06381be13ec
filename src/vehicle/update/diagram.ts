/** Draws the machine's table as a Mermaid diagram. Pure. */
import { FIRST_PHASE, MACHINE, PHASES } from './machine.js';

/** A state for each phase, an arrow for each outcome with its events. */
export function machineDiagram(): string {
  const lines = [`[*] --> ${FIRST_PHASE}: OTA_TRIGGER, acknowledged`];
  for (const phase of PHASES) {
    const { does, outcomes } = MACHINE[phase];
    lines.push(`${phase}: ${phase} — ${does}`);
    for (const [name, { reports, next }] of Object.entries(outcomes)) {
      const effect = reports.length === 0 ? '' : ` / ${reports.join(', ')}`;
      lines.push(`${phase} --> ${next === 'ended' ? '[*]' : next}: ${name}${effect}`);
    }
  }
  return ['stateDiagram-v2', ...lines.map((line) => `  ${line}`)].join('\n');
}
