import type { UseQueryResult } from '@tanstack/react-query';
import type { RecommendationList } from '@/api/schema';
import { Loaded } from '@/components/loaded';
import { ProductCard } from '@/components/product-card';
import { ProductGrid } from '@/components/product-grid';
import { Section } from '@/components/section';
import { SkeletonRow } from '@/components/skeleton';

/** Products beside one another under a title, save some that are shown already. */
export function Row(props: { title: string; query: UseQueryResult<RecommendationList>; without?: string[] }) {
  const { title, query, without = [] } = props;
  return (
    <Section title={title}>
      <Loaded query={query} quiet loading={<SkeletonRow n={6} />}>
        {({ items }) => (
          <ProductGrid row>
            {items
              .filter(({ product }) => !without.includes(product.id))
              .map(({ product }) => (
                <li key={product.id}>
                  <ProductCard product={product} />
                </li>
              ))}
          </ProductGrid>
        )}
      </Loaded>
    </Section>
  );
}
