import { useEffect, useState } from 'react';
import { ProductCard } from '@/components/product-card';
import { ProductGrid } from '@/components/product-grid';
import { useProductsById } from './api';
import { keepRecent, recentIds } from './recent';
import styles from './recently-viewed.module.css';

/** What was looked at before on this device; `current` is what is being looked at now. */
export function RecentlyViewed({ current }: { current?: string }) {
  const [ids] = useState(() => recentIds().filter((id) => id !== current));
  useEffect(() => {
    if (current) keepRecent(current);
  }, [current]);
  const products = useProductsById(ids);
  if (products.length === 0) return null;
  return (
    <section className={styles.section} aria-label="Recently viewed">
      <h2>Recently viewed</h2>
      <ProductGrid row>
        {products.map((product) => (
          <li key={product.id}>
            <ProductCard product={product} />
          </li>
        ))}
      </ProductGrid>
    </section>
  );
}
