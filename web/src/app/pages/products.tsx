import { useSearchParams } from 'react-router';
import { PageTitle } from '@/components/page-title';
import { CategoryNav } from '@/features/catalogue/category-nav';
import { ListControls } from '@/features/catalogue/list-controls';
import { ProductList } from '@/features/catalogue/product-list';
import { filtersFromSearch } from '@/lib/urls';
import styles from './pages.module.css';

export function ProductsPage() {
  const [search] = useSearchParams();
  const filters = filtersFromSearch(search);
  const place = filters.category || 'All products';
  const title = filters.q ? `“${filters.q}”${filters.category ? ` in ${filters.category}` : ''}` : place;
  return (
    <div className={styles.catalogue}>
      <PageTitle>{title}</PageTitle>
      <div className={styles.aside}>
        <CategoryNav filters={filters} />
      </div>
      <div className={styles.page}>
        <h1>{title}</h1>
        <ListControls filters={filters} />
        <ProductList filters={filters} />
      </div>
    </div>
  );
}
