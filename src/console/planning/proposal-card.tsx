import { scheduleApi, type ScheduleDetails } from '../../contract/carota-api/index.js';
import { useApi } from '../api/use-query.js';
import { Answered } from '../ui/notes.js';
import { Card } from '../ui/page.js';
import { Preview } from './preview.js';

/** What an approval is of: exactly what will run. */
export function ProposalCard({
  schedule,
  topics,
}: {
  schedule: ScheduleDetails;
  topics: readonly string[];
}) {
  const request = { params: { 'ref-id': schedule['ref-id'] } };
  const answer = useApi(scheduleApi.previewStoredSchedule, request, { topics });
  return (
    <Card title="Content to approve" wide>
      <Answered answer={answer} lines={6}>
        {(preview) => <Preview preview={preview} plan={schedule.plan} />}
      </Answered>
      <p className="muted">
        Digest of the plan, the update script and each vehicle:{' '}
        <code className="wrap">{schedule.digest}</code>
      </p>
    </Card>
  );
}
