import { Loaded } from '@/components/loaded';
import { ProductCard } from '@/components/product-card';
import { ProductGrid } from '@/components/product-grid';
import { SkeletonRow } from '@/components/skeleton';
import { usePopular, useRecommendations } from './api';
import styles from './recommended.module.css';
import { SHOWN } from './recommended';

/** What is popular, for a customer whose recommendations are their own; whoever has none sees it in their place. */
export function Popular() {
  const own = useRecommendations().data;
  return own?.strategy === 'personal' ? (
    <PopularBut without={own.items.slice(0, SHOWN).map(({ product }) => product.id)} />
  ) : null;
}

function PopularBut({ without }: { without: string[] }) {
  const popular = usePopular();
  return (
    <section className={styles.section} aria-label="Popular right now">
      <h2>Popular right now</h2>
      <Loaded query={popular} quiet loading={<SkeletonRow n={6} />}>
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
    </section>
  );
}
