import type { ReactNode } from 'react';
import { Navigate, useLocation } from 'react-router';
import type { User } from '@/api/schema';
import { Loaded } from '@/components/loaded';
import { Skeletons } from '@/components/skeleton';
import { urls } from '@/lib/urls';
import { useMe } from './session';

interface RequireLoginProps {
  /** How much room the page takes until it is known who looks. */
  rows?: number;
  children: (me: User) => ReactNode;
}

/** Shows a page to a customer who is logged in; leads a guest to the login and back. */
export function RequireLogin({ rows = 3, children }: RequireLoginProps) {
  const me = useMe();
  const { pathname, search } = useLocation();
  return (
    <Loaded query={me} loading={<Skeletons shape="row" n={rows} />}>
      {(user) => (user ? children(user) : <Navigate to={urls.login(pathname + search)} replace />)}
    </Loaded>
  );
}
