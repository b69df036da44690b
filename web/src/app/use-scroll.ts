import { useLayoutEffect } from 'react';
import { useLocation, useNavigationType } from 'react-router';
import { tabStorage } from '@/lib/storage';

const STORAGE_KEY = 'shopmicro.scroll';
/** How far down one was, by the key of the history's entry. */
const positions = new Map<string, number>();

function positionAt(key: string): number {
  const [kept, position] = tabStorage.get(STORAGE_KEY)?.split(' ') ?? [];
  return positions.get(key) ?? (kept === key ? Number(position) : 0);
}

/**
 * A new page begins at its top, and "back" or a reload leads to where one was: the browser cannot do so by itself, since
 * the page is not there yet when it tries. A link with `state={{ stay: true }}` changes nothing.
 */
export function useScroll(): void {
  const { key, state } = useLocation();
  const type = useNavigationType();
  useLayoutEffect(() => {
    history.scrollRestoration = 'manual';
    const wanted = type === 'POP' ? positionAt(key) : 0;
    if (type === 'POP' || !state?.stay) scrollTo(0, wanted);
    const note = () => positions.set(key, scrollY);
    const keep = () => tabStorage.set(STORAGE_KEY, `${key} ${scrollY}`);
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
  }, [key, type, state]);
}
