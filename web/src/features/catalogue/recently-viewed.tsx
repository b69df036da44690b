import { useQueries } from '@tanstack/react-query';
import { useState } from 'react';
import type { Product } from '@/api/schema';
import { ProductCard } from '@/components/product-card';
import { ProductGrid } from '@/components/product-grid';
import { Section } from '@/components/section';
import { isMissing } from '@/lib/http';
import { productOptions } from './api';
import { recentIds } from './recent';

/** Some products by their ids, without those that have left the shop. */
function useProductsById(ids: string[]): Product[] {
  return useQueries({
    queries: ids.map((id) => ({
      ...productOptions(id),
      retry: (failures: number, error: Error) => !isMissing(error) && failures < 2,
    })),
    combine: (results) => results.flatMap((result) => result.data ?? []),
  });
}

/** What was looked at before on this device; `current` is what is being looked at now. */
export function RecentlyViewed({ current }: { current?: string }) {
  const [ids] = useState(() => recentIds().filter((id) => id !== current));
  const products = useProductsById(ids);
  if (products.length === 0) return null;
  return (
    <Section title="Recently viewed">
      <ProductGrid row>
        {products.map((product) => (
          <li key={product.id}>
            <ProductCard product={product} />
          </li>
        ))}
      </ProductGrid>
    </Section>
  );
}
