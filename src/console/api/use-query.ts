/** Queries an HTTP interface, and refetches whenever one of the query's topics changes. */
import {
  keepPreviousData,
  useQuery,
  useQueryClient,
  type UseQueryResult,
} from '@tanstack/react-query';
import { useContext, useEffect, createContext } from 'react';
import { type RequestOf } from '../../contract/client.js';
import { type AnswerOf, type RouteShape } from '../../contract/http/route.js';
import { client, type Failed } from './client.js';
import { type Live } from './live.js';
import { topicsOf } from './topics.js';

export const LiveContext = createContext<Live | undefined>(undefined);

/** Topics of a single object contain `:` and must be subscribed to; all others are sent to everyone. */
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
  /** Topics on which the answer depends; none: it never changes. */
  readonly topics?: readonly string[];
  readonly enabled?: boolean;
  /** Keeps the previous answer on the page while a changed request is loading. */
  readonly keep?: boolean;
}

export const queryOptions = <R extends RouteShape>(
  route: R,
  request: RequestOf<R>,
  topics: readonly string[],
) => ({
  queryKey: [route.path, request] as const,
  queryFn: ({ signal }: { signal: AbortSignal }) => client.call(route, request, signal),
  meta: { topics },
});

export function useApi<R extends RouteShape>(
  route: R,
  request: RequestOf<R>,
  { topics = [], enabled = true, keep = false }: Options = {},
): UseQueryResult<AnswerOf<R>, Failed> {
  useTopics(enabled ? topics : []);
  return useQuery<AnswerOf<R>, Failed>({
    ...queryOptions(route, request, topics),
    enabled,
    ...(keep ? { placeholderData: keepPreviousData } : {}),
  });
}

/** Refetches everything that depends on a topic, without waiting for the server's notification. */
export function useRefetch(): (topic: string) => Promise<void> {
  const queries = useQueryClient();
  return (topic) =>
    queries.invalidateQueries({ predicate: ({ meta }) => topicsOf(meta).includes(topic) });
}
