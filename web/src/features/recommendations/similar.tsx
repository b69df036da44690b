import { Loaded } from '@/components/loaded';
import { ProductCard } from '@/components/product-card';
import { ProductGrid } from '@/components/product-grid';
import { Skeleton } from '@/components/skeleton';
import { useSimilar } from './api';
import styles from './recommended.module.css';

/** Products like this one. */
export function Similar({ productId }: { productId: string }) {
  const similar = useSimilar(productId);
  if (similar.data?.items.length === 0) return null;
  const title =
    similar.data && similar.data.strategy !== 'similar' ? 'Popular right now' : 'Similar products';
  return (
    <section className={styles.section} aria-label={title}>
      <h2>{title}</h2>
      <Loaded
        query={similar}
        quiet
        loading={
          <ProductGrid row>
            {['a', 'b', 'c', 'd', 'e', 'f'].map((key) => (
              <li key={key}>
                <Skeleton shape="card" />
              </li>
            ))}
          </ProductGrid>
        }
      >
        {({ items }) => (
          <ProductGrid row>
            {items.map(({ product }) => (
              <li key={product.id}>
                <ProductCard product={product} />
              </li>
            ))}
          </ProductGrid>
        )}
      </Loaded>
    </section>
  );
}
