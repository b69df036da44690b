import { type QueryClient, queryOptions, useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import type {
  ConfirmBody,
  LoginBody,
  PasswordBody,
  ProfileBody,
  RegisterBody,
  SessionPage,
  User,
} from '@/api/schema';
import { ProblemError, request } from '@/lib/http';
import { deviceStorage, tabStorage } from '@/lib/storage';
import { urls } from '@/lib/urls';

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
    onSuccess: () => leave(client),
  });
}

/** What only a customer who is logged in may ask for. */
const OWN: unknown[] = ['sessions', 'orders', 'admin'];

/** What they looked at on this device, what they typed in this tab. */
function forgetDevice() {
  deviceStorage.clear();
  tabStorage.clear();
}

/** Nothing of a customer stays behind. */
async function leave(client: QueryClient): Promise<void> {
  forgetDevice();
  client.setQueryData(meOptions.queryKey, null);
  // To be asked by nobody any more, not even by the page that is about to go.
  client.removeQueries({ predicate: ({ queryKey: [area] }) => OWN.includes(area) });
  await client.resetQueries({ predicate: (query) => query.queryKey[0] !== meOptions.queryKey[0] });
}

export function useChangeProfile() {
  const client = useQueryClient();
  return useMutation({
    mutationFn: (body: ProfileBody) => request<User>('/api/users/me', { method: 'PATCH', body }),
    onSuccess: (user) => client.setQueryData(meOptions.queryKey, user),
  });
}

/** Ends every session of the account but the new one of this browser. */
export function useChangePassword() {
  const client = useQueryClient();
  return useMutation({
    mutationFn: (body: PasswordBody) => request<void>('/api/users/me/password', { method: 'PUT', body }),
    onSuccess: () => client.invalidateQueries(sessionsOptions),
  });
}

export function useDeleteAccount() {
  return useMutation({
    mutationFn: (body: ConfirmBody) => request<void>('/api/users/me', { method: 'DELETE', body }),
    onSuccess: () => {
      forgetDevice();
      // All that this page still knows goes with it.
      location.assign(urls.home());
    },
  });
}

const sessionsOptions = queryOptions({
  queryKey: ['sessions'],
  queryFn: ({ signal }) => request<SessionPage>('/api/users/me/sessions?limit=100', { signal }),
});

/** Where the account is logged in. */
export function useSessions() {
  // Nor does the page ask that has not heard yet that its customer has left.
  const known = Boolean(useMe().data);
  return useQuery({ ...sessionsOptions, enabled: known });
}

export function useEndSession() {
  const client = useQueryClient();
  return useMutation({
    mutationFn: (id: string) =>
      request<void>(`/api/users/me/sessions/${encodeURIComponent(id)}`, { method: 'DELETE' }),
    onSettled: () => client.invalidateQueries(sessionsOptions),
  });
}

export function useEndAllSessions() {
  const client = useQueryClient();
  return useMutation({
    mutationFn: () => request<void>('/api/users/me/sessions', { method: 'DELETE' }),
    onSuccess: () => leave(client),
  });
}
