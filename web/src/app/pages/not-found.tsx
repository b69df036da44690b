import { Link } from 'react-router';
import { Empty } from '@/components/empty';
import { PageTitle } from '@/components/page-title';
import { urls } from '@/lib/urls';

export function NotFoundPage() {
  return (
    <>
      <PageTitle>Not found</PageTitle>
      <Empty icon="search" title="There is nothing here" heading="h1">
        <p className="muted">The address may be mistyped, or what was here has left the shop.</p>
        <Link to={urls.products()} className="button">
          Browse the shop
        </Link>
      </Empty>
    </>
  );
}
