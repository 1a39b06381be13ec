/** What vehicles sent against what is stored, vehicle by vehicle: the measure of every part of the chaos suite. Pure. */

/** Of one vehicle. */
export interface SentMessages {
  /** In the order in which it sent them; it sends none before the one before it is acknowledged. */
  readonly sent: readonly string[];
  /** Those of them with a PUBACK. */
  readonly acknowledged: ReadonlySet<string>;
}

/** Each entry is `<VIN> <message>`, so that a failure names what to look for. */
export interface Deviations {
  /** Acknowledged to the vehicle and not stored. */
  readonly lost: string[];
  readonly twice: string[];
  /** Stored behind a message that the vehicle sent later. */
  readonly outOfOrder: string[];
  /** Stored, and never sent. */
  readonly unknown: string[];
}

export const NONE: Deviations = { lost: [], twice: [], outOfOrder: [], unknown: [] };

/**
 * @param sent by VIN
 * @param stored by VIN, in the order of storage
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
