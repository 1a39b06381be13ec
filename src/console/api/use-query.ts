/** Asks for something, and again whenever one of its topics has changed. */
import {
  keepPreviousData,
  useQuery,
  useQueryClient,
  type UseQueryResult,
} from '@tanstack/react-query';
import { useContext, useEffect, createContext } from 'react';
import { type ApiError, get, type Query } from './client.js';
import { type Live } from './live.js';
import { topicsOf } from './topics.js';

export const LiveContext = createContext<Live | undefined>(undefined);

/** Topics about one thing have a `:`; the others are told to everyone. */
export function useTopics(topics: readonly string[]): void {
  const live = useContext(LiveContext);
  const named = topics.filter((topic) => topic.includes(':')).join('\n');
  useEffect(() => {
    if (!live || named === '') return;
    const ends = named.split('\n').map((topic) => live.watch(topic));
    return () => ends.forEach((end) => end());
  }, [live, named]);
}

export interface Options {
  /** Those that change it; none: it never changes. */
  readonly topics?: readonly string[];
  readonly enabled?: boolean;
  /** Shows what was there before while another filter is asked for. */
  readonly keep?: boolean;
}

export const queryOptions = <T>(path: string, query: Query, topics: readonly string[]) => ({
  queryKey: [path, query] as const,
  queryFn: ({ signal }: { signal: AbortSignal }) => get<T>(path, query, signal),
  meta: { topics },
});

export function useApi<T>(
  path: string,
  query: Query = {},
  { topics = [], enabled = true, keep = false }: Options = {},
): UseQueryResult<T, ApiError> {
  useTopics(enabled ? topics : []);
  return useQuery<T, ApiError>({
    ...queryOptions<T>(path, query, topics),
    enabled,
    ...(keep ? { placeholderData: keepPreviousData } : {}),
  });
}

/** Asks once more for all that a topic changes, before the server tells that it has. */
export function useAskAgain(): (topic: string) => Promise<void> {
  const queries = useQueryClient();
  return (topic) =>
    queries.invalidateQueries({ predicate: ({ meta }) => topicsOf(meta).includes(topic) });
}
