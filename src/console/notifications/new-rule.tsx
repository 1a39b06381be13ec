import { useMutation } from '@tanstack/react-query';
import { useState } from 'react';
import {
  CHANNELS,
  notificationApi,
  type NotificationChannel,
  NOTIFIED_EVENTS,
  type NotifiedEvent,
} from '../../contract/carota-api/index.js';
import { ApiError, client, type Failed } from '../api/client.js';
import { useRefetch } from '../api/use-query.js';
import { CheckField, NumberField, SelectField, TextField } from '../ui/fields.js';
import { Failure } from '../ui/notes.js';
import { Card } from '../ui/page.js';
import { EMPTY_RULE, type RuleForm, ruleOf } from './rule-form.js';

const EVENTS: Readonly<Record<NotifiedEvent, string>> = {
  stop: 'A schedule stops',
  hold: 'The guard holds a schedule',
  silent: 'Vehicles are silent (the 1st, 10th, 100th …)',
  'failure-rate': 'The failure rate of a schedule is too high',
  'dead-letters': 'The adapter has new dead letters',
  'expiring-keys': 'Keys of a repository expire in 30, 7 or 1 days',
};

const NAMES: Readonly<Record<NotificationChannel, string>> = {
  webhook: 'Webhook, signed (Standard Webhooks)',
  slack: 'Slack',
  teams: 'Microsoft Teams',
  email: 'E-mail',
};

export function NewRule() {
  const [form, setForm] = useState<RuleForm>(EMPTY_RULE);
  const refetch = useRefetch();
  const add = useMutation<{ readonly name: string; readonly secret?: string }, Failed>({
    mutationFn: () => client.call(notificationApi.addNotificationRule, { body: ruleOf(form) }),
    onSuccess: () => setForm(EMPTY_RULE),
    onSettled: () => refetch('notifications'),
  });
  const set = (change: Partial<RuleForm>) => setForm({ ...form, ...change });
  const faults = add.error instanceof ApiError ? add.error.errors : [];
  const at = (path: string) => faults.find((fault) => fault.path.startsWith(path))?.message;
  return (
    <Card title="New rule">
      <form
        onSubmit={(event) => {
          event.preventDefault();
          add.mutate();
        }}
      >
        <TextField
          label="Name"
          value={form.name}
          onChange={(name) => set({ name })}
          error={at('/name')}
        />
        <fieldset>
          <legend>Events</legend>
          {NOTIFIED_EVENTS.map((event) => (
            <CheckField
              key={event}
              label={EVENTS[event]}
              checked={form.events.includes(event)}
              onChange={(checked) =>
                set({
                  events: checked
                    ? [...form.events, event]
                    : form.events.filter((one) => one !== event),
                })
              }
            />
          ))}
          {at('/events') !== undefined && <p className="fault">{at('/events')}</p>}
        </fieldset>
        {form.events.includes('failure-rate') && (
          <div className="form-grid">
            <NumberField
              label="Failure rate (%)"
              rule={{ above: 0, max: 100 }}
              value={form.failurePercent}
              onChange={(failurePercent) => set({ failurePercent })}
              error={at('/failurePercent')}
            />
            <NumberField
              label="Minimum vehicles with a result"
              rule={{ isInteger: true, min: 1 }}
              value={form.least}
              onChange={(least) => set({ least })}
              error={at('/least')}
            />
          </div>
        )}
        <SelectField
          label="Channel"
          value={form.channel}
          onChange={(channel) => set({ channel: channel as NotificationChannel })}
          error={at('/channel')}
          options={CHANNELS.map((value) => ({ value, label: NAMES[value] }))}
        />
        {form.channel === 'email' ? (
          <TextField
            label="Addresses"
            value={form.to}
            onChange={(to) => set({ to })}
            error={at('/to')}
          />
        ) : (
          <TextField
            label="URL"
            value={form.url}
            onChange={(url) => set({ url })}
            error={at('/url')}
          />
        )}
        {add.error && faults.length === 0 && <Failure error={add.error} />}
        <button type="submit" className="primary" disabled={add.isPending}>
          Add rule
        </button>
      </form>
      {add.data && (
        <p role="status">
          Added “{add.data.name}”.
          {add.data.secret !== undefined && (
            <>
              {' '}
              Its signing secret, shown only now: <code className="wrap">{add.data.secret}</code>
            </>
          )}
        </p>
      )}
    </Card>
  );
}
