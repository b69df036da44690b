import { lazy, Suspense, useEffect, useState } from 'react';
import { keepRecent, recentIds } from './recent';

const RecentlyViewed = lazy(async () => {
  try {
    return { default: (await import('./recently-viewed')).RecentlyViewed };
  } catch {
    // The page is whole without it.
    return { default: () => null };
  }
});

/**
 * What was looked at before on this device, at the end of the page: its script comes after the page is there, where it has
 * something to show. `current` is what is being looked at now.
 */
export function RecentlyViewedLater({ current }: { current?: string }) {
  useEffect(() => {
    if (current) keepRecent(current);
  }, [current]);
  const [some] = useState(() => recentIds().some((id) => id !== current));
  if (!some) return null;
  return (
    <Suspense>
      <RecentlyViewed current={current} />
    </Suspense>
  );
}
