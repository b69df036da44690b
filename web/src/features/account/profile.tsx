import type { User } from '@/api/schema';
import { Notice } from '@/components/notice';
import { date } from '@/lib/format';
import { explain } from '@/lib/http';
import { useLogout } from './api';
import styles from './profile.module.css';

/** Who is logged in, and the way out. */
export function Profile({ me }: { me: User }) {
  const logout = useLogout();
  return (
    <section className={styles.profile} aria-label="Your details">
      <dl>
        <div>
          <dt>Name</dt>
          <dd>{me.name}</dd>
        </div>
        <div>
          <dt>E-mail</dt>
          <dd>{me.email}</dd>
        </div>
        <div>
          <dt>Customer since</dt>
          <dd>{date(me.created_at)}</dd>
        </div>
      </dl>
      {logout.isError && <Notice tone="error">{explain(logout.error)}</Notice>}
      <button
        type="button"
        className="button quiet"
        disabled={logout.isPending}
        onClick={() => logout.mutate()}
      >
        {logout.isPending ? 'Logging out…' : 'Log out'}
      </button>
    </section>
  );
}
