import { Link } from 'wouter';
import { type ScheduleDetails } from '../../contract/carota-api/index.js';
import { GuardPlot } from '../charts/guard-plot.js';
import { vehicleAt } from '../app/address.js';
import { count } from '../format/numbers.js';
import { Card } from '../ui/page.js';
import { Time } from '../ui/time.js';
import { resultByTime } from './result-by-time.js';

/** The state of the guard: its current test, the cap, and the vehicles it waits for. */
export function GuardCard({ schedule }: { schedule: ScheduleDetails }) {
  const { exposure, guardTest: test } = schedule;
  const { undecided, cap, waiting, retrying, nextDeadline } = exposure;
  const undecidedInTest = test?.path.filter(({ result }) => result === 'undecided').length ?? 0;
  return (
    <Card title="Guard" wide>
      <p>
        {count(undecided)} of at most {count(cap ?? 0)} vehicles are exposed without a result.
        {waiting > 0 && <> {count(waiting)} wait until others have one.</>}
        {retrying > 0 && <> {count(retrying)} failed and will be retried.</>}
        {nextDeadline !== null && (
          <>
            {' '}
            The next deadline ends <Time at={nextDeadline} />.
          </>
        )}
      </p>
      {test && (
        <>
          <p className="muted">
            {test.path.length === 0
              ? `Test ${count(test.number)} has no vehicle yet`
              : `Test ${count(test.number)}: ${count(undecidedInTest)} of the ${test.from === 1 ? 'first' : 'next'} ${count(test.path.length)} exposed vehicles are undecided`}
            {test.oldest?.decidesAt && (
              <>
                ; the oldest, <Link href={vehicleAt(test.oldest.vin)}>{test.oldest.vin}</Link>, will
                count as {resultByTime(test.oldest.state)} <Time at={test.oldest.decidesAt} />
              </>
            )}
            .
          </p>
          <GuardPlot test={test} />
        </>
      )}
    </Card>
  );
}
