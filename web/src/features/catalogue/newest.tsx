import { Loaded } from '@/components/loaded';
import { ProductCard } from '@/components/product-card';
import { ProductGrid } from '@/components/product-grid';
import { SkeletonGrid } from '@/components/skeleton';
import { useNewest } from './api';

/** What came in last. */
export function Newest({ n }: { n: number }) {
  const newest = useNewest(n);
  return (
    <Loaded query={newest} quiet loading={<SkeletonGrid n={n} />}>
      {({ items }) => (
        <ProductGrid>
          {items.map((product) => (
            <li key={product.id}>
              <ProductCard product={product} />
            </li>
          ))}
        </ProductGrid>
      )}
    </Loaded>
  );
}
