import { useLayoutEffect } from 'react';
import { useLocation, useNavigationType } from 'react-router';
import { tabStorage } from '@/lib/storage';

const STORAGE_KEY = 'shopmicro.scroll';
/** How far down one was, by the key of the history's entry. */
const positions = new Map<string, number>();

/**
 * How far down one was at an entry of the history. What an earlier document has kept is of its own last entry: the first
 * entry of every document has the same key, so that it counts for the same address alone, and where one comes back to it.
 */
function positionAt(key: string, place: string): number {
  const [keptKey, keptPlace, position] = tabStorage.get(STORAGE_KEY)?.split(' ') ?? [];
  const known = positions.get(key);
  if (known !== undefined) return known;
  return cameBack() && keptKey === key && keptPlace === place ? Number(position) : 0;
}

function cameBack(): boolean {
  const [entry] = performance.getEntriesByType('navigation');
  return entry !== undefined && 'type' in entry && (entry.type === 'reload' || entry.type === 'back_forward');
}

/**
 * A new page begins at its top, and "back" or a reload leads to where one was: the browser cannot do so by itself, since
 * the page is not there yet when it tries. A link with `state={{ stay: true }}` changes nothing.
 */
export function useScroll(): void {
  const { key, state, pathname, search } = useLocation();
  const place = pathname + search;
  const type = useNavigationType();
  useLayoutEffect(() => {
    history.scrollRestoration = 'manual';
    const wanted = type === 'POP' ? positionAt(key, place) : 0;
    if (type === 'POP' || !state?.stay) scrollTo(0, wanted);
    const note = () => positions.set(key, scrollY);
    const keep = () => tabStorage.set(STORAGE_KEY, `${key} ${place} ${scrollY}`);
    addEventListener('scroll', note, { passive: true });
    addEventListener('pagehide', keep);
    // The page grows as its parts arrive; the visitor's own hand on it ends the wait.
    const growth = new ResizeObserver(() => {
      if (scrollY < wanted) scrollTo(0, wanted);
      if (scrollY >= wanted) growth.disconnect();
    });
    const end = () => growth.disconnect();
    const hands = ['wheel', 'touchstart', 'keydown'];
    if (scrollY < wanted) {
      growth.observe(document.body);
      for (const event of hands) addEventListener(event, end, { once: true, passive: true });
    }
    return () => {
      end();
      for (const event of hands) removeEventListener(event, end);
      removeEventListener('scroll', note);
      removeEventListener('pagehide', keep);
    };
  }, [key, place, type, state]);
}
