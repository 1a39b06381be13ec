import { QueryClientProvider, useQuery } from '@tanstack/react-query';
import { useEffect, useState } from 'react';
import { Router } from 'wouter';
import { sessionApi } from '../../contract/adapter-api/index.js';
import { type Session } from '../../contract/common-api/index.js';
import { ApiError, client, type Failed } from '../api/client.js';
import { Live } from '../api/live.js';
import { LiveContext } from '../api/use-query.js';
import { Failure, Loading } from '../ui/notes.js';
import { createQueryClient } from './query-client.js';
import { SessionContext } from './session.js';
import { Shell } from './shell.js';
import { SignIn } from './sign-in.js';

const queries = createQueryClient();

export function App() {
  return (
    <QueryClientProvider client={queries}>
      <Router base="/console">
        <SignedIn />
      </Router>
    </QueryClientProvider>
  );
}

const currentSession = (): Promise<Session | null> =>
  client.call(sessionApi.getSession, {}).catch((error: unknown) => {
    if (error instanceof ApiError && error.status === 401) return null;
    throw error;
  });

function SignedIn() {
  const {
    data: session,
    error,
    refetch,
  } = useQuery<Session | null, Failed>({
    queryKey: ['session'],
    queryFn: currentSession,
    staleTime: Infinity,
  });
  if (session) return <Watching session={session} />;
  if (session === null) return <SignIn />;
  return (
    <main className="alone">
      {error ? <Failure error={error} retry={() => void refetch()} /> : <Loading />}
    </main>
  );
}

/** Keeps a live connection for the duration of the session. */
function Watching({ session }: { session: Session }) {
  const [live] = useState(() => new Live(queries));
  useEffect(() => {
    live.start();
    return () => live.stop();
  }, [live]);
  return (
    <SessionContext value={session}>
      <LiveContext value={live}>
        <Shell />
      </LiveContext>
    </SessionContext>
  );
}
