import { type ImageRepositoryStatus } from '../../contract/carota-api/index.js';
import { Card } from '../ui/page.js';
import { ceremonyOf, type CeremonyStep } from './ceremony.js';

const STATES = {
  done: { text: 'done', means: 'good' },
  now: { text: 'next', means: 'busy' },
  later: { text: 'later', means: 'calm' },
} as const satisfies Record<CeremonyStep['state'], { text: string; means: string }>;

/** The ceremony step by step: commands to type elsewhere, none of which this page can run. */
export function CeremonyCard({
  status,
}: {
  status: Pick<ImageRepositoryStatus, 'proposed' | 'faults' | 'onlineKeys' | 'published'>;
}) {
  return (
    <Card title="Ceremony" note="commands for other machines; no key ever comes here" wide>
      <ol className="ceremony">
        {ceremonyOf(status).map(({ title, where, commands, notes, state }) => (
          <li key={title} aria-current={state === 'now' ? 'step' : undefined}>
            <h3>
              {title}{' '}
              <span className={`status status-${STATES[state].means}`}>{STATES[state].text}</span>
            </h3>
            <p className="muted">{where}</p>
            <pre tabIndex={0} aria-label={`Commands: ${title}`}>
              {commands.join('\n')}
            </pre>
            {notes.map((note) => (
              <p key={note}>{note}</p>
            ))}
          </li>
        ))}
      </ol>
    </Card>
  );
}
