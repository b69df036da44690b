import { Link } from 'react-router';
import type { Product } from '@/api/schema';
import { money } from '@/lib/format';
import { urls } from '@/lib/urls';
import { Picture } from './picture';
import styles from './product-card.module.css';
import { StockNote } from './stock-note';

interface ProductCardProps {
  product: Product;
  /** One line more, such as why it is recommended. */
  note?: string;
  /** True where it is among the first that a visitor sees: its picture does not wait. */
  first?: boolean;
}

/** A product in a list. */
export function ProductCard({ product, note, first = false }: ProductCardProps) {
  return (
    <article className={styles.card}>
      <div className={styles.frame}>
        <Picture
          src={product.image_url}
          alt=""
          width="400"
          height="400"
          loading={first ? 'eager' : 'lazy'}
          fetchPriority={first ? 'high' : 'auto'}
          decoding="async"
        />
        <StockNote stock={product.stock} />
      </div>
      <h3 className={styles.name}>
        <Link to={urls.product(product.id)} className={styles.link}>
          {product.name}
        </Link>
      </h3>
      <p>{money(product.price_cents, product.currency)}</p>
      {note && <p className={styles.note}>{note}</p>}
    </article>
  );
}
