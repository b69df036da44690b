import { queryOptions, useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import type {
  ConfirmBody,
  LoginBody,
  PasswordBody,
  ProfileBody,
  RegisterBody,
  SessionPage,
  User,
} from '@/api/schema';
import { request } from '@/lib/http';
import { urls } from '@/lib/urls';
import { enter, forgetOwner, leave, meOptions, useMe } from './session';

export function useLogin() {
  const client = useQueryClient();
  return useMutation({
    mutationFn: (body: LoginBody) => request<User>('/api/users/login', { method: 'POST', body }),
    onSuccess: (user) => enter(client, user),
  });
}

export function useRegister() {
  const client = useQueryClient();
  return useMutation({
    mutationFn: (body: RegisterBody) => request<User>('/api/users', { method: 'POST', body }),
    onSuccess: (user) => enter(client, user),
  });
}

export function useLogout() {
  const client = useQueryClient();
  return useMutation({
    mutationFn: () => request<void>('/api/users/logout', { method: 'POST' }),
    onSuccess: () => leave(client),
  });
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
    onMutate: async () => {
      // Its answer, to the cookie of before, would say that nobody is here.
      await client.cancelQueries(meOptions);
      return client.getQueryData(meOptions.queryKey);
    },
    mutationFn: (body: PasswordBody) => request<void>('/api/users/me/password', { method: 'PUT', body }),
    // With another cookie: whatever was refused to the one before is asked anew.
    onSuccess: (_answer, _body, before) => {
      const me = client.getQueryData(meOptions.queryKey) ?? before;
      return me && enter(client, me);
    },
  });
}

export function useDeleteAccount() {
  return useMutation({
    mutationFn: (body: ConfirmBody) => request<void>('/api/users/me', { method: 'DELETE', body }),
    onSuccess: () => {
      forgetOwner();
      // All that this page still knows goes with it, and no way leads back to it.
      location.replace(urls.home());
      // It is about to go; what else it would say would only flash.
      return new Promise(() => {});
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
