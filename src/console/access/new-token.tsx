/** Form for a new token. */
import { useMutation } from '@tanstack/react-query';
import { useState } from 'react';
import { client, type Failed } from '../api/client.js';
import { numberFault } from '../format/number-text.js';
import { NumberField, SelectField, TextField } from '../ui/fields.js';
import { Failure } from '../ui/notes.js';
import { type TokenApi } from './token.js';

const DAY_SECONDS = 24 * 60 * 60;
/** Ten years. */
const DAYS = { isInteger: true, min: 1, max: 3_650 } as const;

export function NewToken({
  api,
  roles,
  onMade,
}: {
  api: TokenApi;
  roles: readonly string[];
  onMade: (secret: string) => void;
}) {
  const [name, setName] = useState('');
  const [role, setRole] = useState(roles[0] ?? '');
  const [days, setDays] = useState('365');
  const make = useMutation<{ token: string }, Failed>({
    mutationFn: () => {
      const lifetime = days.trim() === '' ? {} : { lifetime: Number(days) * DAY_SECONDS };
      return client.call(api.createToken, { body: { name: name.trim(), role, ...lifetime } });
    },
    onSuccess: ({ token }) => {
      setName('');
      onMade(token);
    },
  });
  const isReady = name.trim() !== '' && numberFault(days, DAYS) === undefined;
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault();
        if (isReady) make.mutate();
      }}
    >
      <TextField label="Name" value={name} onChange={setName} help="The program or person." />
      <SelectField
        label="Role"
        value={role}
        onChange={setRole}
        options={roles.map((one) => ({ value: one, label: one }))}
      />
      <NumberField
        label="Valid for, days"
        rule={DAYS}
        value={days}
        onChange={setDays}
        help="Leave empty for a token without an expiry."
      />
      {make.error && <Failure error={make.error} />}
      <button type="submit" className="primary" disabled={!isReady || make.isPending}>
        Create token
      </button>
    </form>
  );
}
