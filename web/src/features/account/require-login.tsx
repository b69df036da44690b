import { Fragment, type ReactNode } from 'react';
import { Navigate, useLocation } from 'react-router';
import type { User } from '@/api/schema';
import { Loaded } from '@/components/loaded';
import { Skeletons } from '@/components/skeleton';
import { urls } from '@/lib/urls';
import { useMe } from './session';

/**
 * Shows a page to a customer who is logged in; leads a guest to the login and back. Another customer has another page: its
 * forms hold nothing of the one before.
 */
export function RequireLogin({ children }: { children: (me: User) => ReactNode }) {
  const me = useMe();
  const { pathname, search } = useLocation();
  return (
    <Loaded query={me} loading={<Skeletons shape="row" n={3} />}>
      {(user) =>
        user ? (
          <Fragment key={user.id}>{children(user)}</Fragment>
        ) : (
          <>
            <Skeletons shape="row" n={3} />
            <Navigate to={urls.login(pathname + search)} replace />
          </>
        )
      }
    </Loaded>
  );
}
