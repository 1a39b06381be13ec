/** Form for a new token. */
import { useMutation } from '@tanstack/react-query';
import { useState } from 'react';
import { client, type Failed } from '../api/client.js';
import { numberFault } from '../format/number-text.js';
import { NumberField, SelectField, TextArea, TextField } from '../ui/fields.js';
import { Failure } from '../ui/notes.js';
import { type TokenApi } from '../../contract/common-api/index.js';

const DAY_SECONDS = 24 * 60 * 60;
/** Ten years. */
const DAYS = { isInteger: true, min: 1, max: 3_650 } as const;

/** Each model once; a model may have a comma in it. */
const linesOf = (text: string): string[] => [
  ...new Set(
    text
      .split('\n')
      .map((line) => line.trim())
      .filter((line) => line !== ''),
  ),
];

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
  const [models, setModels] = useState('');
  const [days, setDays] = useState('365');
  const make = useMutation<{ token: string }, Failed>({
    mutationFn: () => {
      const lifetime = days.trim() === '' ? {} : { lifetime: Number(days) * DAY_SECONDS };
      const scopes = linesOf(models);
      const limit = scopes.length === 0 ? {} : { scopes };
      const body = { name: name.trim(), role, ...limit, ...lifetime };
      return client.call(api.createToken, { body });
    },
    onSuccess: ({ token }) => {
      setName('');
      setModels('');
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
      <TextArea
        label="Vehicle models"
        value={models}
        onChange={setModels}
        help="One per line. The token sees and does only what concerns them. Leave empty for no limit."
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
