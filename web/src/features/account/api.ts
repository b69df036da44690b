import { type QueryClient, queryOptions, useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import type { LoginBody, RegisterBody, User } from '@/api/schema';
import { ProblemError, request } from '@/lib/http';
import { deviceStorage, tabStorage } from '@/lib/storage';

/**
 * Scripts cannot see the session's cookie. This mark says that there may be one, which spares every guest a request
 * that could only be answered with 401. It decides nothing: the API does.
 */
const MARK = 'shopmicro.session';

const meOptions = queryOptions({
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
async function onSession(client: QueryClient, user: User): Promise<void> {
  deviceStorage.set(MARK, '1');
  client.setQueryData(meOptions.queryKey, user);
  await client.invalidateQueries({ predicate: (query) => query.queryKey[0] !== meOptions.queryKey[0] });
}

export function useLogin() {
  const client = useQueryClient();
  return useMutation({
    mutationFn: (body: LoginBody) => request<User>('/api/users/login', { method: 'POST', body }),
    onSuccess: (user) => onSession(client, user),
  });
}

export function useRegister() {
  const client = useQueryClient();
  return useMutation({
    mutationFn: (body: RegisterBody) => request<User>('/api/users', { method: 'POST', body }),
    onSuccess: (user) => onSession(client, user),
  });
}

export function useLogout() {
  const client = useQueryClient();
  return useMutation({
    mutationFn: () => request<void>('/api/users/logout', { method: 'POST' }),
    onSuccess: async () => {
      deviceStorage.remove(MARK);
      // What the customer typed in this tab, an address for one, leaves with them.
      tabStorage.clear();
      client.setQueryData(meOptions.queryKey, null);
      await client.resetQueries({ predicate: (query) => query.queryKey[0] !== meOptions.queryKey[0] });
    },
  });
}
