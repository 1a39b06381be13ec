import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { type Session, sessionApi } from '../../contract/common-api/index.js';
import { client, type Failed } from '../api/client.js';
import { TextField } from '../ui/fields.js';
import { Failure } from '../ui/notes.js';

/** The token is sent once, and is then kept where no script can read it. */
export function SignIn() {
  const queries = useQueryClient();
  const [token, setToken] = useState('');
  const signIn = useMutation<Session, Failed>({
    mutationFn: () => client.call(sessionApi.signIn, { body: { token: token.trim() } }),
    onSuccess: (session) => queries.setQueryData(['session'], session),
  });
  return (
    <main className="alone">
      <form
        className="sign-in"
        onSubmit={(event) => {
          event.preventDefault();
          signIn.mutate();
        }}
      >
        <h1>OTA Operations</h1>
        <TextField
          label="Token"
          type="password"
          value={token}
          onChange={setToken}
          required
          help="The initial one is in the file “token” of the server’s data folder. Create further ones with otaops token."
        />
        {signIn.error && <Failure error={signIn.error} />}
        <button
          type="submit"
          className="primary"
          disabled={token.trim() === '' || signIn.isPending}
        >
          Sign in
        </button>
      </form>
    </main>
  );
}
