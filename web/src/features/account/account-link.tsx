import { Link } from 'react-router';
import { Icon } from '@/components/icon';
import { urls } from '@/lib/urls';
import styles from './account-link.module.css';
import { useMe } from './session';

/** The way to the account, or to the login for a guest. */
export function AccountLink({ className }: { className?: string }) {
  const me = useMe().data;
  const label = me ? 'Account' : 'Log in';
  return (
    <Link to={me ? urls.account() : urls.login()} className={className} aria-label={label}>
      <Icon name="person" />
      <span className={styles.word}>{label}</span>
    </Link>
  );
}
