import { lazy, Suspense, useEffect } from 'react';
import { keepRecent } from './recent';

const RecentlyViewed = lazy(async () => {
  try {
    return { default: (await import('./recently-viewed')).RecentlyViewed };
  } catch {
    // The page is whole without it.
    return { default: () => null };
  }
});

/**
 * What was looked at before on this device, at the end of the page: its script comes after the page is there. `current` is
 * what is being looked at now.
 */
export function RecentlyViewedLater({ current }: { current?: string }) {
  useEffect(() => {
    if (current) keepRecent(current);
  }, [current]);
  return (
    <Suspense>
      <RecentlyViewed current={current} />
    </Suspense>
  );
}
