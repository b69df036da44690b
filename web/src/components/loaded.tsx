import type { ReactNode } from 'react';
import { ConnectionError, explain } from '@/lib/http';
import { Notice } from './notice';
import { PageTitle } from './page-title';

interface Query<T> {
  data: T | undefined;
  error: Error | null;
  failureCount: number;
  failureReason: Error | null;
  /** True where the data are of what was asked for before, and stay until the answer comes. */
  isPlaceholderData?: boolean;
  refetch: () => unknown;
}

interface LoadedProps<T> {
  query: Query<T>;
  /** What stands in the place of the data while they come: of the same size, so that nothing jumps. */
  loading: ReactNode;
  /** The page's heading where the data would bring it: what is told instead of them needs one, too. */
  heading?: string;
  /** Leaves it to another part of the page to tell of failures: one message is enough. */
  quiet?: boolean;
  children: (data: T) => ReactNode;
}

/**
 * What was read, or how far that is. Failures that pass are repeated until they do (see lib/query): from the second on,
 * the customer is told, and the page fills itself when the shop answers again.
 */
export function Loaded<T>({ query, loading, heading, quiet = false, children }: LoadedProps<T>) {
  const away = query.failureCount > 1 && !quiet;
  if (query.data !== undefined) {
    return (
      <>
        {query.isPlaceholderData && away && <Away reason={query.failureReason} />}
        {children(query.data)}
      </>
    );
  }
  if (query.error && quiet) return null;
  const told = (notice: ReactNode) =>
    heading ? (
      <>
        <PageTitle>{heading}</PageTitle>
        <h1>{heading}</h1>
        {notice}
      </>
    ) : (
      notice
    );
  if (query.error) {
    return told(
      <Notice tone="error" title={explain(query.error)}>
        <p>
          <button type="button" className="button quiet" onClick={() => query.refetch()}>
            Try again
          </button>
        </p>
      </Notice>,
    );
  }
  return away ? told(<Away reason={query.failureReason} />) : loading;
}

function Away({ reason }: { reason: Error | null }) {
  return (
    <Notice
      tone="warning"
      title={
        reason instanceof ConnectionError
          ? 'We cannot reach the shop just now.'
          : 'The shop is catching its breath.'
      }
    >
      <p>We keep trying; this page fills itself as soon as there is an answer.</p>
    </Notice>
  );
}
