import { type RefObject, useDeferredValue, useRef } from 'react';
import { Link } from 'react-router';
import type { Product } from '@/api/schema';
import { Empty } from '@/components/empty';
import { Loaded } from '@/components/loaded';
import { Notice } from '@/components/notice';
import { ProductCard } from '@/components/product-card';
import { ProductGrid } from '@/components/product-grid';
import { SkeletonGrid } from '@/components/skeleton';
import { useFocusMore } from '@/components/use-focus-more';
import { count } from '@/lib/format';
import { explain } from '@/lib/http';
import { type Filters, urls } from '@/lib/urls';
import { useProducts } from './api';
import styles from './product-list.module.css';

/** The products that pass the filters, page by page. */
export function ProductList({ filters }: { filters: Filters }) {
  const products = useProducts(filters);
  const asked = useRef<number>(undefined);
  return (
    <Loaded query={products} loading={<SkeletonGrid n={ON_SCREEN} />}>
      {(items) =>
        items.length === 0 ? (
          <Empty icon="search" title="Nothing matches">
            <p className="muted">Try fewer words, another category, or include what is sold out.</p>
            <Link to={urls.products()} className="button quiet">
              Show everything
            </Link>
          </Empty>
        ) : (
          <div className={`${styles.list} ${products.isPlaceholderData ? styles.stale : ''}`}>
            <h2 className="visually-hidden">Products</h2>
            <Products items={items} asked={asked} />
            <div className={styles.more}>
              <p className="muted small" role="status">
                {products.hasNextPage
                  ? `Showing the first ${count(items.length, 'product')}`
                  : `That is all: ${count(items.length, 'product')}`}
              </p>
              {products.isFetchNextPageError && <Notice tone="error" title={explain(products.error)} />}
              {products.hasNextPage && (
                <button
                  type="button"
                  className="button quiet"
                  disabled={products.isFetchingNextPage}
                  onClick={() => {
                    asked.current = items.length;
                    void products.fetchNextPage();
                  }}
                >
                  {products.isFetchingNextPage ? 'Loading…' : 'Load more'}
                </button>
              )}
            </div>
          </div>
        )
      }
    </Loaded>
  );
}

/** More than there is room for on a screen: what is below it does not hold them up, and what follows them is out of sight. */
const ON_SCREEN = 12;

interface ProductsProps {
  items: Product[];
  /** How many there were when more were asked for. */
  asked: RefObject<number | undefined>;
}

function Products({ items, asked }: ProductsProps) {
  const shown = useDeferredValue(items, items.slice(0, ON_SCREEN));
  const list = useRef<HTMLUListElement>(null);
  useFocusMore(list, asked);
  return (
    <ProductGrid ref={list}>
      {shown.map((product, index) => (
        <li key={product.id}>
          <ProductCard product={product} first={index < 4} />
        </li>
      ))}
    </ProductGrid>
  );
}
