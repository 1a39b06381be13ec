/** Processor time of processes: on a busy machine it says more than the clock. Linux only. */
import { readdirSync, readFileSync } from 'node:fs';

/** Ticks of /proc, independent of the kernel's own (proc_pid_stat(5), sysconf(_SC_CLK_TCK)). */
const TICKS_PER_SECOND = 100;

/** Fields of /proc/<pid>/stat after the name of the program (proc_pid_stat(5)), from 0. */
const PARENT = 1;
const USER = 11;
const SYSTEM = 12;
const USER_OF_ENDED_CHILDREN = 13;
const SYSTEM_OF_ENDED_CHILDREN = 14;

interface Usage {
  readonly parent: number;
  readonly ticks: number;
  readonly ticksOfEndedChildren: number;
}

/** Processor time of a process and its descendants so far, seconds; undefined if it cannot be determined. */
export function processorSeconds(pid: number): number | undefined {
  const usages = allUsages();
  if (!usages.has(pid)) return undefined;
  let ticks = 0;
  const waiting = [pid];
  for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
    const usage = usages.get(next);
    ticks += (usage?.ticks ?? 0) + (usage?.ticksOfEndedChildren ?? 0);
    for (const [child, { parent }] of usages) if (parent === next) waiting.push(child);
  }
  return ticks / TICKS_PER_SECOND;
}

function allUsages(): Map<number, Usage> {
  const usages = new Map<number, Usage>();
  for (const name of entries('/proc')) {
    const usage = /^\d+$/.test(name) ? usageOf(name) : undefined;
    if (usage) usages.set(Number(name), usage);
  }
  return usages;
}

function entries(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}

function usageOf(pid: string): Usage | undefined {
  let text: string;
  try {
    text = readFileSync(`/proc/${pid}/stat`, 'utf8');
  } catch {
    // It has ended in the meantime.
    return undefined;
  }
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
  const field = (number: number) => Number(fields[number]);
  return {
    parent: field(PARENT),
    ticks: field(USER) + field(SYSTEM),
    ticksOfEndedChildren: field(USER_OF_ENDED_CHILDREN) + field(SYSTEM_OF_ENDED_CHILDREN),
  };
}
