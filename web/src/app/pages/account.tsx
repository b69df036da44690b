import { Link } from 'react-router';
import { Icon } from '@/components/icon';
import { PageTitle } from '@/components/page-title';
import { DeleteAccount } from '@/features/account/delete-account';
import { Password } from '@/features/account/password';
import { Profile } from '@/features/account/profile';
import { RequireLogin } from '@/features/account/require-login';
import { Sessions } from '@/features/account/sessions';
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
            <p className={styles.ways}>
              <Link to={urls.orders()} className="button">
                <Icon name="box" /> Your orders
              </Link>
              {me.role === 'admin' && (
                <Link to={urls.admin()} className="button quiet">
                  Shop admin
                </Link>
              )}
            </p>
            <Profile me={me} />
            <Password />
            <Sessions />
            <DeleteAccount />
          </>
        )}
      </RequireLogin>
    </div>
  );
}
