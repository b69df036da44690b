import type { ReactNode } from 'react';
import { Link } from 'react-router';
import type { Product } from '@/api/schema';
import { Icon } from '@/components/icon';
import { Picture } from '@/components/picture';
import { StockNote } from '@/components/stock-note';
import { money, number } from '@/lib/format';
import { urls } from '@/lib/urls';
import styles from './product-detail.module.css';

/** A product in full. `action` is what the customer can do with it. */
export function ProductDetail({ product, action }: { product: Product; action: ReactNode }) {
  return (
    <article className={styles.detail}>
      <div className={styles.frame}>
        <Picture src={product.image_url} alt={product.name} width="800" height="800" fetchPriority="high" />
        <StockNote stock={product.stock} />
      </div>
      <div className={styles.text}>
        <p>
          <Link to={urls.products({ category: product.category })}>{product.category}</Link>
        </p>
        <h1>{product.name}</h1>
        <p className={styles.price}>{money(product.price_cents, product.currency)}</p>
        <p className={product.stock > 0 ? styles.available : styles.gone}>
          <Icon name={product.stock > 0 ? 'check' : 'clock'} />
          {product.stock > 0 ? `In stock: ${number(product.stock)}` : 'Sold out for now'}
        </p>
        {action}
        <div className={styles.description}>{product.description}</div>
        {product.tags.length > 0 && (
          <ul className={styles.tags} aria-label="Tags">
            {product.tags.map((tag) => (
              <li key={tag}>
                <Link to={urls.products({ tags: [tag] })}>{tag}</Link>
              </li>
            ))}
          </ul>
        )}
        <p className="muted small">Item {product.sku}</p>
      </div>
    </article>
  );
}
