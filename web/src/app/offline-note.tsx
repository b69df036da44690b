import { useSyncExternalStore } from 'react';
import { Notice } from '@/components/notice';
import styles from './layout.module.css';

function subscribe(changed: () => void) {
  const events = ['online', 'offline'];
  for (const event of events) addEventListener(event, changed);
  return () => {
    for (const event of events) removeEventListener(event, changed);
  };
}

/** Says that the device has no network, for as long as it has none: over the page, which does not move for it. */
export function OfflineNote() {
  const online = useSyncExternalStore(subscribe, () => navigator.onLine);
  if (online) return null;
  return (
    <div className={styles.offline}>
      <Notice tone="warning" title="You are offline.">
        <p>What you see may be old. Everything goes on when the network is back.</p>
      </Notice>
    </div>
  );
}
