import { useMutation } from '@tanstack/react-query';
import { notificationApi, type NotificationRule } from '../../contract/carota-api/index.js';
import { client, type Failed } from '../api/client.js';
import { useApi, useRefetch } from '../api/use-query.js';
import { Confirm } from '../ui/confirm.js';
import { Answered, Empty, Failure } from '../ui/notes.js';
import { Card } from '../ui/page.js';
import { Status } from '../ui/state.js';
import { type Column, Table } from '../ui/table.js';

export function Rules({ topics }: { topics: readonly string[] }) {
  const answer = useApi(notificationApi.listNotificationRules, {}, { topics });
  const refetch = useRefetch();
  const change = useMutation<unknown, Failed, () => Promise<unknown>>({
    mutationFn: (act) => act(),
    onSettled: () => refetch('notifications'),
  });
  const act = (work: () => Promise<unknown>) => () => change.mutate(work);
  return (
    <Card title="Rules" wide>
      {change.error && <Failure error={change.error} />}
      <Answered answer={answer} lines={3}>
        {({ items }) => (
          <Table
            label="Rules"
            columns={columns(act)}
            items={items}
            keyOf={({ id }) => id}
            empty={<Empty title="No notification rules yet." />}
          />
        )}
      </Answered>
    </Card>
  );
}

const columns = (
  act: (work: () => Promise<unknown>) => () => void,
): readonly Column<NotificationRule>[] => [
  { title: 'Name', cell: ({ name }) => name },
  {
    title: 'Events',
    cell: ({ events, failurePercent, least }) => (
      <>
        {events.join(', ')}
        {failurePercent !== null && (
          <small>
            from {failurePercent} % failures, {least ?? 0} results
          </small>
        )}
      </>
    ),
  },
  { title: 'Channel', cell: ({ channel }) => channel },
  { title: 'To', cell: ({ target }) => <code className="wrap">{target}</code> },
  { title: 'Status', cell: ({ enabled }) => <Status status={enabled ? 'active' : 'paused'} /> },
  {
    title: '',
    cell: ({ id, name, enabled }) => (
      <div className="row">
        <button
          type="button"
          className="small"
          onClick={act(() => client.call(notificationApi.testNotificationRule, { params: { id } }))}
        >
          Send test
        </button>
        <button
          type="button"
          className="small"
          onClick={act(() =>
            client.call(notificationApi.changeNotificationRule, {
              params: { id },
              body: { enabled: !enabled },
            }),
          )}
        >
          {enabled ? 'Switch off' : 'Switch on'}
        </button>
        <Confirm
          label="Remove"
          title={`Remove the rule “${name}”?`}
          isDangerous
          isSmall
          withReason={false}
          act={() => client.call(notificationApi.removeNotificationRule, { params: { id } })}
          onDone={act(() => Promise.resolve())}
        >
          <p>Its deliveries are removed too. Pending ones are not sent.</p>
        </Confirm>
      </div>
    ),
  },
];
