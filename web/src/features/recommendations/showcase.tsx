import { Link } from 'react-router';
import { Picture } from '@/components/picture';
import { Skeleton } from '@/components/skeleton';
import { urls } from '@/lib/urls';
import { useRecommendations } from './api';
import styles from './showcase.module.css';

/** A few pictures that stand for the shop: the end of the same list that the page shows further down. */
export function Showcase() {
  const recommendations = useRecommendations();
  const products = recommendations.data?.items.slice(-4).map((item) => item.product);
  return (
    <section className={styles.showcase} aria-label="Featured">
      {products
        ? products.map((product) => (
            <Link key={product.id} to={urls.product(product.id)}>
              <Picture src={product.image_url} alt={product.name} width="400" height="400" />
            </Link>
          ))
        : ['a', 'b', 'c', 'd'].map((key) => <Skeleton key={key} shape="picture" />)}
    </section>
  );
}
