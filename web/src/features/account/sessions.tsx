import { Failure } from '@/components/failure';
import { Loaded } from '@/components/loaded';
import { Skeletons } from '@/components/skeleton';
import { useKeptFocus } from '@/components/use-kept-focus';
import { dateTime } from '@/lib/format';
import '@/lib/stray-clicks';
import { useEndAllSessions, useEndSession, useLogout, useSessions } from './api';
import styles from './panel.module.css';

/** Where the account is logged in, and the ways out. */
export function Sessions() {
  const sessions = useSessions();
  const { heading, onFocus } = useKeptFocus();
  const end = useEndSession();
  const logout = useLogout();
  const everywhere = useEndAllSessions();
  return (
    <section className={styles.panel} aria-labelledby="sessions">
      <h2 id="sessions" ref={heading} tabIndex={-1}>
        Where you are logged in
      </h2>
      <Loaded query={sessions} loading={<Skeletons shape="line" n={2} />}>
        {({ items }) => (
          <ul className={styles.sessions} onFocus={onFocus}>
            {items.map((session) => (
              <li key={session.id}>
                <p>
                  {session.current ? 'This browser' : 'Another browser'}
                  <br />
                  <span className="muted small">
                    Since {dateTime(session.created_at)}, last used {dateTime(session.last_seen_at)}
                  </span>
                </p>
                {!session.current && (
                  <button
                    type="button"
                    className="link-button"
                    aria-label={`Log out the browser of ${dateTime(session.created_at)}`}
                    disabled={end.isPending && end.variables === session.id}
                    onClick={() => end.mutate(session.id)}
                  >
                    Log out
                  </button>
                )}
              </li>
            ))}
          </ul>
        )}
      </Loaded>
      <Failure error={end.error ?? logout.error ?? everywhere.error} />
      <div className={styles.actions}>
        <button
          type="button"
          className="button quiet"
          disabled={logout.isPending}
          onClick={() => logout.mutate()}
        >
          {logout.isPending ? 'Logging out…' : 'Log out'}
        </button>
        <button
          type="button"
          className="button quiet"
          disabled={everywhere.isPending}
          onClick={() => everywhere.mutate()}
        >
          Log out everywhere
        </button>
      </div>
    </section>
  );
}
