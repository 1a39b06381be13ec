import { QueryCache, QueryClient } from '@tanstack/react-query';
import { ApiError, NoAnswer } from '../api/client.js';

/** What may pass in a moment: no answer, or an unavailable database. */
const mayPass = (error: Error) =>
  error instanceof NoAnswer || (error instanceof ApiError && error.status === 503);

export function createQueryClient(): QueryClient {
  const client: QueryClient = new QueryClient({
    queryCache: new QueryCache({
      onError: (error) => {
        // The token was revoked, or the day is over.
        if (error instanceof ApiError && error.status === 401)
          client.setQueryData(['session'], null);
      },
    }),
    defaultOptions: {
      queries: {
        // Whether there is the internet does not matter.
        networkMode: 'always',
        // What changes is told; a page that is opened again asks anew.
        staleTime: 0,
        gcTime: 60_000,
        refetchOnWindowFocus: false,
        refetchOnReconnect: false,
        retry: (failures, error) => failures < 2 && mayPass(error),
      },
      mutations: { networkMode: 'always' },
    },
  });
  return client;
}
