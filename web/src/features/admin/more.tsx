import { Notice } from '@/components/notice';
import { explain } from '@/lib/http';

interface MoreProps {
  list: {
    hasNextPage: boolean;
    isFetchingNextPage: boolean;
    isFetchNextPageError: boolean;
    error: Error | null;
    fetchNextPage: () => unknown;
  };
}

/** The rest of a list, page by page. */
export function More({ list }: MoreProps) {
  return (
    <>
      {list.isFetchNextPageError && <Notice tone="error" title={explain(list.error)} />}
      {list.hasNextPage && (
        <p>
          <button
            type="button"
            className="button quiet"
            disabled={list.isFetchingNextPage}
            onClick={() => list.fetchNextPage()}
          >
            {list.isFetchingNextPage ? 'Loading…' : 'Load more'}
          </button>
        </p>
      )}
    </>
  );
}
