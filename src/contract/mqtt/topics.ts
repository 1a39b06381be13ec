/** MQTT topics of the contract (section 3): one pair per vehicle, templates configurable. */

const PLACEHOLDER = '{system_id}';
/** Default topic to a vehicle (contract section 3). */
export const DEFAULT_C2D_TOPIC = `c2d/${PLACEHOLDER}`;
/** Default topic from a vehicle (contract section 3). */
export const DEFAULT_D2C_TOPIC = `d2c/${PLACEHOLDER}`;

/** A topic with `{system_id}` as one of its levels. */
export interface TopicTemplate {
  /** The topic of one vehicle. */
  of(systemId: string): string;
  /** The vehicle whose topic this is; undefined if the topic does not match the template. */
  systemIdOf(topic: string): string | undefined;
  /** The filter that matches the topics of all vehicles. */
  readonly filter: string;
}

/**
 * @param template e.g. `c2d/{system_id}`; the placeholder fills one whole level, once
 * @throws Error where the template is not of that form
 */
export function topicTemplate(template: string): TopicTemplate {
  const levels = template.split('/');
  if (levels.filter((level) => level === PLACEHOLDER).length !== 1 || /[+#]/.test(template)) {
    throw new Error(`topic template '${template}' must have ${PLACEHOLDER} as one whole level`);
  }
  const [before = '', after = ''] = template.split(PLACEHOLDER);
  return {
    of: (systemId) => before + systemId + after,
    systemIdOf: (topic) => {
      if (!topic.startsWith(before) || !topic.endsWith(after)) return undefined;
      const systemId = topic.slice(before.length, topic.length - after.length);
      return systemId === '' || systemId.includes('/') ? undefined : systemId;
    },
    filter: `${before}+${after}`,
  };
}
