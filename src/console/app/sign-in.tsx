import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { useSearchParams } from 'wouter';
import { sessionApi } from '../../contract/adapter-api/index.js';
import {
  type Session,
  SIGN_ON_FAULTS,
  type SignOnFault,
  signOnApi,
} from '../../contract/common-api/index.js';
import { client, type Failed } from '../api/client.js';
import { TextField } from '../ui/fields.js';
import { Failure } from '../ui/notes.js';
import { signOnAddress } from '../api/sign-on.js';

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
        <SingleSignOn />
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

/** Offered where the server has an OpenID Connect provider. */
function SingleSignOn() {
  const [search] = useSearchParams();
  const fault = SIGN_ON_FAULTS.find((one) => one === search.get('sign-on'));
  const { data } = useQuery({
    queryKey: ['session', 'ways'],
    queryFn: () => client.call(signOnApi.getSignInWays, {}),
    staleTime: Infinity,
  });
  return (
    <>
      {fault && (
        <div className="failure" role="alert">
          <p>{FAULTS[fault]}</p>
        </div>
      )}
      {data?.singleSignOn && (
        <p>
          <a className="button primary" href={signOnAddress()}>
            Sign in with single sign-on
          </a>
        </p>
      )}
    </>
  );
}

const FAULTS: Readonly<Record<SignOnFault, string>> = {
  unavailable: 'The sign-on provider does not answer. Retry later, or sign in with a token.',
  refused: 'The sign-on provider refused the sign-in. Retry; the server log shows the reason.',
  unexpected:
    'This sign-in took too long, or was started in another window. Please start it again.',
  'no-role': 'You have no role at this server. Ask an administrator for one.',
};
