/**
 * Topics on which a broker, or the vehicles by a birth message and a last will, tell who is there;
 * e.g. `$SYS/brokers/+/clients/{system_id}/connected` of EMQX. Pure.
 */

const PLACEHOLDER = '{system_id}';

export interface PresenceTopic {
  readonly filter: string;
  /** The vehicle that a topic is about; undefined where it is no topic of this template. */
  systemIdOf(topic: string): string | undefined;
}

/**
 * @param template levels with `{system_id}` as one of them, `+` as others
 * @throws Error where the template is not of that form
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

/** A last will, or the disconnect event of a broker that tells both on one topic. */
const AWAY = /offline|disconnected|"(?:connected|online)"\s*:\s*false|^(?:0|false)$/i;
const LONGEST = 4_096;

/** Whether a presence message says that the vehicle is there. */
export function saysPresent(payload: Uint8Array): boolean {
  return !AWAY.test(Buffer.from(payload.subarray(0, LONGEST)).toString());
}
