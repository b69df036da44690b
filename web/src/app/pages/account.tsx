import { Link } from 'react-router';
import { Icon } from '@/components/icon';
import { PageTitle } from '@/components/page-title';
import { Profile } from '@/features/account/profile';
import { RequireLogin } from '@/features/account/require-login';
import { urls } from '@/lib/urls';
import styles from './pages.module.css';

export function AccountPage() {
  return (
    <div className={`${styles.page} ${styles.reading}`}>
      <PageTitle>Your account</PageTitle>
      <RequireLogin>
        {(me) => (
          <>
            <h1>Hello, {me.name}</h1>
            <p>
              <Link to={urls.orders()} className="button">
                <Icon name="box" /> Your orders
              </Link>
            </p>
            <Profile me={me} />
          </>
        )}
      </RequireLogin>
    </div>
  );
}
