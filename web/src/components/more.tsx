import { type RefObject, useRef } from 'react';
import { explain } from '@/lib/http';
import { Notice } from './notice';
import { useFocusMore } from './use-focus-more';

interface MoreProps {
  list: {
    hasNextPage: boolean;
    isFetchingNextPage: boolean;
    isFetchNextPageError: boolean;
    error: Error | null;
    fetchNextPage: () => unknown;
  };
  /** Where the list's lines stand. */
  lines: RefObject<Element | null>;
  label?: string;
}

/** The rest of a list, page by page. */
export function More({ list, lines, label = 'Load more' }: MoreProps) {
  const asked = useRef<number>(undefined);
  useFocusMore(lines, asked);
  return (
    <>
      {list.isFetchNextPageError && <Notice tone="error" title={explain(list.error)} />}
      {list.hasNextPage && (
        <p>
          <button
            type="button"
            className="button quiet"
            disabled={list.isFetchingNextPage}
            onClick={() => {
              asked.current = lines.current?.children.length;
              list.fetchNextPage();
            }}
          >
            {list.isFetchingNextPage ? 'Loading…' : label}
          </button>
        </p>
      )}
    </>
  );
}
