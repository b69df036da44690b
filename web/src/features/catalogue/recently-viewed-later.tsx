import { lazy, Suspense } from 'react';

const RecentlyViewed = lazy(async () => {
  try {
    return { default: (await import('./recently-viewed')).RecentlyViewed };
  } catch {
    // The page is whole without it.
    return { default: () => null };
  }
});

/** What was looked at before, at the end of the page: its script comes after the page is there. */
export function RecentlyViewedLater({ current }: { current?: string }) {
  return (
    <Suspense>
      <RecentlyViewed current={current} />
    </Suspense>
  );
}
