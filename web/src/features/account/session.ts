import { type QueryClient, queryOptions, useQuery } from '@tanstack/react-query';
import type { User } from '@/api/schema';
import { ProblemError, request } from '@/lib/http';
import { deviceStorage, tabStorage } from '@/lib/storage';

/**
 * Scripts cannot see the session's cookie. This mark says that there may be one, which spares every guest a request
 * that could only be answered with 401. It decides nothing: the API does.
 */
const MARK = 'shopmicro.session';

export const meOptions = queryOptions({
  queryKey: ['me'],
  queryFn: async ({ signal }): Promise<User | null> => {
    if (deviceStorage.get(MARK) === null) return null;
    try {
      return await request<User>('/api/users/me', { signal });
    } catch (error) {
      if (error instanceof ProblemError && error.status === 401) {
        deviceStorage.remove(MARK);
        return null;
      }
      throw error;
    }
  },
  staleTime: 5 * 60_000,
});

/** The customer who is logged in, or null for a guest. */
export function useMe() {
  return useQuery(meOptions);
}

/** Called when the API finds no valid session any more. */
export function forgetSession(client: QueryClient): void {
  deviceStorage.remove(MARK);
  client.setQueryData(meOptions.queryKey, null);
}

/** The cart has merged, and recommendations and orders are now this customer's: all else is read anew. */
export async function enter(client: QueryClient, user: User): Promise<void> {
  deviceStorage.set(MARK, '1');
  client.setQueryData(meOptions.queryKey, user);
  await client.invalidateQueries({ predicate: (query) => query.queryKey[0] !== meOptions.queryKey[0] });
}

/** What only a customer who is logged in may ask for. */
const OWN: unknown[] = ['sessions', 'orders', 'admin'];

/** What they looked at on this device, what they typed in this tab. */
export function forgetDevice() {
  deviceStorage.clear();
  tabStorage.clear();
}

/** Nothing of a customer stays behind. */
export async function leave(client: QueryClient): Promise<void> {
  forgetDevice();
  await forgetAnswers(client);
}

/** Follows what other tabs of the browser do: they share the session, and may end it or begin another. */
export function followSession(client: QueryClient): void {
  addEventListener('storage', ({ key }) => {
    // Without a key, all is gone.
    if (key !== MARK && key !== null) return;
    if (deviceStorage.get(MARK) !== null) {
      void client.invalidateQueries();
    } else if (client.getQueryData(meOptions.queryKey)) {
      tabStorage.clear();
      void forgetAnswers(client);
    }
  });
}

async function forgetAnswers(client: QueryClient): Promise<void> {
  client.setQueryData(meOptions.queryKey, null);
  // To be asked by nobody any more, not even by the page that is about to go.
  client.removeQueries({ predicate: ({ queryKey: [area] }) => OWN.includes(area) });
  await client.resetQueries({ predicate: (query) => query.queryKey[0] !== meOptions.queryKey[0] });
}
