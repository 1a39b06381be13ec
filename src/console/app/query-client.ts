import { QueryCache, QueryClient } from '@tanstack/react-query';
import { ApiError, NoAnswer } from '../api/client.js';

/** Temporary failures: no answer, or an unavailable database. */
const isTemporary = (error: Error) =>
  error instanceof NoAnswer || (error instanceof ApiError && error.status === 503);

export function createQueryClient(): QueryClient {
  const client: QueryClient = new QueryClient({
    queryCache: new QueryCache({
      onError: (error) => {
        // The token was revoked, or the session has expired.
        if (error instanceof ApiError && error.status === 401)
          client.setQueryData(['session'], null);
      },
    }),
    defaultOptions: {
      queries: {
        // The server may be reachable without the internet.
        networkMode: 'always',
        // Changes are announced; reopening a page refetches it.
        staleTime: 0,
        gcTime: 60_000,
        refetchOnWindowFocus: false,
        refetchOnReconnect: false,
        retry: (failures, error) => failures < 2 && isTemporary(error),
      },
      mutations: { networkMode: 'always' },
    },
  });
  return client;
}
