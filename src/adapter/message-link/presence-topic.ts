/**
 * Topics on which the broker reports presence, or the vehicles do by birth message and last will; e.g. EMQX's
 * `$SYS/brokers/+/clients/{system_id}/connected`. Pure.
 */

const PLACEHOLDER = '{system_id}';

export interface PresenceTopic {
  readonly filter: string;
  /** The vehicle that a topic is about; undefined if the topic does not match the template. */
  systemIdOf(topic: string): string | undefined;
}

/**
 * @param template topic levels, exactly one of them `{system_id}`; others may be `+`
 * @throws Error where the template has another form
 */
export function presenceTopic(template: string): PresenceTopic {
  const levels = template.split('/');
  const at = levels.indexOf(PLACEHOLDER);
  const isFaulty = levels.some(
    (level, n) => level.includes('#') || (n !== at && /[+{}]/.test(level) && level !== '+'),
  );
  if (at < 0 || isFaulty) {
    throw new Error(`presence topic '${template}' must have ${PLACEHOLDER} as one level`);
  }
  return {
    filter: levels.with(at, '+').join('/'),
    systemIdOf(topic) {
      const actual = topic.split('/');
      const matches =
        actual.length === levels.length &&
        levels.every((level, n) => n === at || level === '+' || level === actual[n]);
      return matches && actual[at] !== '' ? actual[at] : undefined;
    },
  };
}

/** A last will, or the disconnect event of a broker that reports both on one topic. */
const OFFLINE = /offline|disconnected|"(?:connected|online)"\s*:\s*false|^(?:0|false)$/i;
/** Bytes of a presence message that are examined. */
const EXAMINED = 4_096;

/** Whether a presence message says that the vehicle is online. */
export function saysOnline(payload: Uint8Array): boolean {
  return !OFFLINE.test(Buffer.from(payload.subarray(0, EXAMINED)).toString());
}
