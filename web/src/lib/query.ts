import { MutationCache, type Query, QueryCache, QueryClient } from '@tanstack/react-query';
import { isTransient, ProblemError } from '@/lib/http';

/** A wait that doubles up to ten seconds, or what the server asked for where that is longer. */
export function retryDelay(attempt: number, error: unknown): number {
  const backoff = Math.min(500 * 2 ** attempt, 10_000);
  const asked = error instanceof ProblemError ? (error.retryAfterMs ?? 0) : 0;
  return Math.max(backoff, asked);
}

/** All is read anew as it is looked at, but who is here. */
export function readAnew(client: QueryClient): void {
  void client.invalidateQueries({ predicate: ({ queryKey: [area] }) => area !== 'me' });
}

/**
 * The cache of everything read from the API. A read that may succeed later is asked again until it does, so that a page
 * recovers by itself when the shop returns; hidden tabs wait. Writes are never repeated without the customer.
 */
export function createQueryClient(
  onUnauthenticated: (client: QueryClient, refused?: Query) => unknown,
): QueryClient {
  const onError = (error: unknown, refused?: Query) => {
    if (error instanceof ProblemError && error.status === 401) onUnauthenticated(client, refused);
  };
  const client: QueryClient = new QueryClient({
    queryCache: new QueryCache({ onError: (error, query) => onError(error, query as Query) }),
    mutationCache: new MutationCache({ onError: (error) => onError(error) }),
    defaultOptions: {
      queries: {
        staleTime: 30_000,
        retry: (_failures, error) => isTransient(error),
        retryDelay,
        // Being offline is one more failure that passes: the page says so instead of waiting silently.
        networkMode: 'always',
      },
      mutations: { retry: false, networkMode: 'always' },
    },
  });
  return client;
}
