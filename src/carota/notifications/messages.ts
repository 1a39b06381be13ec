/** The form of a notification for each channel. Pure. */
import { type NotifiedEvent } from '../../contract/carota-api/index.js';

export interface Message {
  /** The same in every attempt. */
  readonly id: string;
  readonly event: NotifiedEvent | 'test';
  readonly at: Date;
  readonly refId: string | null;
  readonly summary: string;
}

/** In the form that Standard Webhooks recommends for payloads. */
export const webhookBody = ({ event, at, refId, summary }: Message): string =>
  JSON.stringify({
    type: `otaops.${event}`,
    timestamp: at.toISOString(),
    data: { event, 'ref-id': refId, summary },
  });

/** Slack's own characters must not become links or mentions. */
const escaped = (text: string) =>
  text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');

export const slackBody = ({ summary }: Message): string =>
  JSON.stringify({ text: escaped(summary) });

/** A card as accepted by webhooks of Teams workflows. Not Markdown, because names of schedules may look like it. */
export const teamsBody = ({ summary, at }: Message): string =>
  JSON.stringify({
    type: 'message',
    attachments: [
      {
        contentType: 'application/vnd.microsoft.card.adaptive',
        content: {
          type: 'AdaptiveCard',
          version: '1.4',
          body: [
            {
              type: 'RichTextBlock',
              inlines: [{ type: 'TextRun', text: summary }],
            },
            {
              type: 'RichTextBlock',
              inlines: [{ type: 'TextRun', text: at.toISOString(), isSubtle: true }],
            },
          ],
        },
      },
    ],
  });

const LONGEST_SUBJECT = 120;

export function emailOf({ id, event, at, refId, summary }: Message) {
  const line = summary.replaceAll(/\s+/g, ' ');
  const cut = line.length > LONGEST_SUBJECT ? `${line.slice(0, LONGEST_SUBJECT - 1)}…` : line;
  return {
    messageId: `<${id}@otaops>`,
    subject: `[OTA Operations] ${cut}`,
    text: [
      summary,
      '',
      `Event: ${event}`,
      ...(refId === null ? [] : [`Schedule: ${refId}`]),
      `Time: ${at.toISOString()}`,
      '',
    ].join('\n'),
  };
}
