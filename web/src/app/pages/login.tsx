import { Link, Navigate, useSearchParams } from 'react-router';
import { PageTitle } from '@/components/page-title';
import { useMe } from '@/features/account/session';
import { LoginForm } from '@/features/account/login-form';
import { nextPath } from '@/lib/next-path';
import { urls } from '@/lib/urls';
import styles from './pages.module.css';

export function LoginPage() {
  const [search] = useSearchParams();
  const next = nextPath(search);
  // Also after a login that succeeds here, and for customers who are logged in already.
  if (useMe().data) return <Navigate to={next} replace />;
  return (
    <div className={styles.narrow}>
      <PageTitle>Log in</PageTitle>
      <h1>Welcome back</h1>
      {next === urls.checkout() && <p className="muted">Log in to check out. Your cart comes with you.</p>}
      <LoginForm />
      <p>
        New here? <Link to={urls.register(next)}>Create an account</Link>
      </p>
    </div>
  );
}
