import { useSearchParams } from 'react-router';
import { PageTitle } from '@/components/page-title';
import { useKeptFocus } from '@/components/use-kept-focus';
import { useFacets, useProducts } from '@/features/catalogue/api';
import { ChosenFilters } from '@/features/catalogue/chosen-filters';
import { Facets } from '@/features/catalogue/facets';
import { ListControls } from '@/features/catalogue/list-controls';
import { ProductList } from '@/features/catalogue/product-list';
import { count } from '@/lib/format';
import { filtersFromSearch } from '@/lib/urls';
import styles from './pages.module.css';

export function ProductsPage() {
  const [search] = useSearchParams();
  const filters = filtersFromSearch(search);
  const { heading, onFocus } = useKeptFocus();
  const facets = useFacets(filters);
  const counts = facets.data;
  // That of the filters before would be wrong; the other counts stay, so that nothing jumps.
  const total = facets.isPlaceholderData ? undefined : counts?.total;
  // The shop has one currency, which its products tell.
  const currency = useProducts(filters).data?.[0]?.currency ?? 'GBP';
  const place = filters.category || 'All products';
  const title = filters.q ? `“${filters.q}”${filters.category ? ` in ${filters.category}` : ''}` : place;
  return (
    <div className={styles.catalogue}>
      <PageTitle>{title}</PageTitle>
      <div className={styles.title}>
        <h1 ref={heading} tabIndex={-1}>
          {title}
        </h1>
        <p className="muted" role="status">
          {total ? `${count(total.value, 'product')}${total.exact ? '' : ' or more'}` : '\u00a0'}
        </p>
      </div>
      <div className={styles.facets}>
        <Facets filters={filters} currency={currency} />
      </div>
      <div className={styles.page}>
        <ListControls filters={filters} inStock={counts?.in_stock.value} />
        <ChosenFilters filters={filters} currency={currency} onFocus={onFocus} />
        <ProductList filters={filters} />
      </div>
    </div>
  );
}
