import { Link, Navigate, useSearchParams } from 'react-router';
import { PageTitle } from '@/components/page-title';
import { useMe } from '@/features/account/session';
import { RegisterForm } from '@/features/account/register-form';
import { nextPath } from '@/lib/next-path';
import { urls } from '@/lib/urls';
import styles from './pages.module.css';

export function RegisterPage() {
  const [search] = useSearchParams();
  const next = nextPath(search);
  // Also after a registration that succeeds here.
  if (useMe().data) return <Navigate to={next} replace />;
  return (
    <div className={styles.narrow}>
      <PageTitle>Create an account</PageTitle>
      <h1>Create an account</h1>
      {next === urls.checkout() && (
        <p className="muted">One step before the checkout. Your cart comes with you.</p>
      )}
      <RegisterForm />
      <p>
        Have one already? <Link to={urls.login(next)}>Log in</Link>
      </p>
    </div>
  );
}
