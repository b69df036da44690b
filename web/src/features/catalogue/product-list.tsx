import { type ComponentProps, useDeferredValue, useRef } from 'react';
import { Link } from 'react-router';
import type { Product } from '@/api/schema';
import { Empty } from '@/components/empty';
import { Loaded } from '@/components/loaded';
import { More } from '@/components/more';
import { ProductCard } from '@/components/product-card';
import { ProductGrid } from '@/components/product-grid';
import { SkeletonGrid } from '@/components/skeleton';
import { count } from '@/lib/format';
import { type Filters, urls } from '@/lib/urls';
import { useProducts } from './api';
import styles from './product-list.module.css';

/** The products that pass the filters, page by page. */
export function ProductList({ filters }: { filters: Filters }) {
  const products = useProducts(filters);
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
            <Products items={items} list={products} />
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
  list: ComponentProps<typeof More>['list'];
}

function Products({ items, list }: ProductsProps) {
  const shown = useDeferredValue(items, items.slice(0, ON_SCREEN));
  const lines = useRef<HTMLUListElement>(null);
  return (
    <>
      <ProductGrid ref={lines}>
        {shown.map((product, index) => (
          <li key={product.id}>
            <ProductCard product={product} first={index < 4} />
          </li>
        ))}
      </ProductGrid>
      <div className={styles.more}>
        <p className="muted small" role="status">
          {list.hasNextPage ? 'Showing the first' : 'That is all:'} {count(items.length, 'product')}
        </p>
        <More list={list} lines={lines} />
      </div>
    </>
  );
}
