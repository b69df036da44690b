import { Loaded } from '@/components/loaded';
import { ProductCard } from '@/components/product-card';
import { ProductGrid } from '@/components/product-grid';
import { Section } from '@/components/section';
import { SkeletonGrid } from '@/components/skeleton';
import { useRecommendations } from './api';

/** Two full lines; the rest of what is asked for is the showcase's. */
export const SHOWN = 8;

/** Products for this customer with the reason for each, or what is popular where nothing is known of them. */
export function Recommended() {
  const recommendations = useRecommendations();
  const personal = recommendations.data?.strategy === 'personal';
  if (recommendations.data?.items.length === 0) return null;
  return (
    <Section title={personal ? 'Recommended for you' : 'Popular right now'}>
      <Loaded query={recommendations} quiet loading={<SkeletonGrid n={SHOWN} />}>
        {({ items }) => (
          <ProductGrid>
            {items.slice(0, SHOWN).map(({ product, reason }) => (
              <li key={product.id}>
                <ProductCard product={product} note={personal ? reason : undefined} />
              </li>
            ))}
          </ProductGrid>
        )}
      </Loaded>
    </Section>
  );
}
