import { Card } from '../ui/page.js';
import { ceremonyOf, type CeremonyStep, type CeremonyWords, type Standing } from './ceremony.js';

const STATES = {
  done: { text: 'done', means: 'good' },
  now: { text: 'next', means: 'busy' },
  later: { text: 'later', means: 'calm' },
} as const satisfies Record<CeremonyStep['state'], { text: string; means: string }>;

/** The ceremony step by step: commands to run on other machines, none of which this page can run. */
export function CeremonyCard({
  title,
  status,
  words,
}: {
  title: string;
  status: Standing;
  words: CeremonyWords;
}) {
  return (
    <Card title={title} note="commands for other machines; no key ever comes here" wide>
      <ol className="ceremony">
        {ceremonyOf(status, words).map(({ title: step, where, commands, notes, state }) => (
          <li key={step} aria-current={state === 'now' ? 'step' : undefined}>
            <h3>
              {step}{' '}
              <span className={`status status-${STATES[state].means}`}>{STATES[state].text}</span>
            </h3>
            <p className="muted">{where}</p>
            <pre tabIndex={0} aria-label={`Commands: ${step}`}>
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
