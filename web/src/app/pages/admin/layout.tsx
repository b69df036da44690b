import type { ReactNode } from 'react';
import { NavLink, Outlet } from 'react-router';
import { PageTitle } from '@/components/page-title';
import { RequireLogin } from '@/features/account/require-login';
import { urls } from '@/lib/urls';
import { NotFoundPage } from '@/app/pages/not-found';
import styles from './admin.module.css';

const AREAS = [
  { to: urls.admin(), label: 'Overview', end: true },
  { to: urls.adminProducts(), label: 'Products', end: false },
  { to: urls.adminOrders(), label: 'Orders', end: false },
  { to: urls.adminUsers(), label: 'Users', end: false },
  { to: urls.adminModel(), label: 'Model', end: false },
];

/** The frame of the admins' pages. For whoever is none there is nothing here; what they may do, the API decides. */
export function AdminLayout() {
  return (
    <RequireLogin>
      {(me) =>
        me.role === 'admin' ? (
          <div className={styles.admin}>
            <nav className={styles.nav} aria-label="Admin">
              {AREAS.map(({ to, label, end }) => (
                <NavLink key={to} to={to} end={end}>
                  {label}
                </NavLink>
              ))}
            </nav>
            <Outlet />
          </div>
        ) : (
          <NotFoundPage />
        )
      }
    </RequireLogin>
  );
}

interface AdminPageProps {
  title: string;
  /** What can be done beside the title. */
  actions?: ReactNode;
  children: ReactNode;
}

/** A page of the admins'. */
export function AdminPage({ title, actions, children }: AdminPageProps) {
  return (
    <>
      <PageTitle>{`${title} · Admin`}</PageTitle>
      <div className={styles.head}>
        <h1>{title}</h1>
        {actions}
      </div>
      {children}
    </>
  );
}
