/** Compares what vehicles sent with what is stored, vehicle by vehicle, for every part of the chaos suite. Pure. */

/** Messages of one vehicle. */
export interface SentMessages {
  /** In the order in which the vehicle sent them; it sends each only after the previous one was acknowledged. */
  readonly sent: readonly string[];
  /** The sent messages for which the vehicle received a PUBACK. */
  readonly acknowledged: ReadonlySet<string>;
}

/** Each entry is `<VIN> <message>`, so that a failed test names what to look for. */
export interface Deviations {
  /** Acknowledged to the vehicle but not stored. */
  readonly lost: string[];
  readonly twice: string[];
  /** Stored after a message that the vehicle sent later. */
  readonly outOfOrder: string[];
  /** Stored but never sent. */
  readonly unknown: string[];
}

export const NONE: Deviations = { lost: [], twice: [], outOfOrder: [], unknown: [] };

/**
 * @param sent messages by VIN
 * @param stored messages by VIN, in the order of storage
 */
export function deviations(
  sent: ReadonlyMap<string, SentMessages>,
  stored: ReadonlyMap<string, readonly string[]>,
): Deviations {
  const found = { lost: [], twice: [], outOfOrder: [], unknown: [] } as Deviations;
  for (const [vin, messages] of sent) compareOne(vin, messages, stored.get(vin) ?? [], found);
  for (const [vin, messages] of stored) {
    if (!sent.has(vin)) found.unknown.push(...messages.map((message) => `${vin} ${message}`));
  }
  return found;
}

function compareOne(
  vin: string,
  { sent, acknowledged }: SentMessages,
  stored: readonly string[],
  found: Deviations,
): void {
  const placeOf = new Map(sent.map((message, place) => [message, place]));
  const seen = new Set<string>();
  let newest = -1;
  for (const message of stored) {
    const name = `${vin} ${message}`;
    const place = placeOf.get(message);
    if (place === undefined) found.unknown.push(name);
    else if (seen.has(message)) found.twice.push(name);
    else if (place < newest) found.outOfOrder.push(name);
    newest = Math.max(newest, place ?? -1);
    seen.add(message);
  }
  for (const message of acknowledged) {
    if (!seen.has(message)) found.lost.push(`${vin} ${message}`);
  }
}
