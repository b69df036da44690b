import { useSyncExternalStore } from 'react';
import { Notice } from '@/components/notice';

function subscribe(changed: () => void) {
  const events = ['online', 'offline'];
  for (const event of events) addEventListener(event, changed);
  return () => {
    for (const event of events) removeEventListener(event, changed);
  };
}

/** Says that the device has no network, for as long as it has none. */
export function OfflineNote() {
  const online = useSyncExternalStore(subscribe, () => navigator.onLine);
  if (online) return null;
  return (
    <Notice tone="warning" title="You are offline.">
      <p>What you see may be old. Everything goes on when the network is back.</p>
    </Notice>
  );
}
