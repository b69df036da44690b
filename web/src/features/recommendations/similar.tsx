import { Loaded } from '@/components/loaded';
import { ProductCard } from '@/components/product-card';
import { ProductGrid } from '@/components/product-grid';
import { SkeletonRow } from '@/components/skeleton';
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
      <Loaded query={similar} quiet loading={<SkeletonRow n={6} />}>
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
