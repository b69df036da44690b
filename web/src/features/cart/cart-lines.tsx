import type { FocusEventHandler } from 'react';
import { Link } from 'react-router';
import type { CartItem } from '@/api/schema';
import { Notice } from '@/components/notice';
import { Picture } from '@/components/picture';
import { Quantity } from '@/components/quantity';
import { money } from '@/lib/format';
import { explain } from '@/lib/http';
import '@/lib/stray-clicks';
import { urls } from '@/lib/urls';
import { MAX_QUANTITY, useCartFailure, useRemoveItem, useSetQuantity } from './api';
import styles from './cart-lines.module.css';

interface CartLinesProps {
  items: CartItem[];
  /** Called with what is to be said when a line goes. */
  say: (text: string) => void;
  onFocus: FocusEventHandler;
}

/** What is in the cart, to be changed in place. */
export function CartLines({ items, say, onFocus }: CartLinesProps) {
  const failure = useCartFailure();
  return (
    <div>
      {failure && <Notice tone="error">{explain(failure)}</Notice>}
      <ul className={styles.lines} onFocus={onFocus}>
        {items.map((item) => (
          <Line key={item.product.id} item={item} onRemove={() => say(`Removed ${item.product.name}`)} />
        ))}
      </ul>
    </div>
  );
}

function Line({ item, onRemove }: { item: CartItem; onRemove: () => void }) {
  const { product, quantity, line_total_cents, added_price_cents } = item;
  const setQuantity = useSetQuantity();
  const remove = useRemoveItem();
  return (
    <li className={styles.line} aria-busy={setQuantity.isPending || remove.isPending}>
      <Picture src={product.image_url} alt="" width="112" height="112" loading="lazy" />
      <div className={styles.text}>
        <h2>
          <Link to={urls.product(product.id)}>{product.name}</Link>
        </h2>
        <p className="muted">
          {money(product.price_cents, product.currency)} each
          {product.price_cents !== added_price_cents &&
            `, was ${money(added_price_cents, product.currency)} when you put it in`}
        </p>
      </div>
      <p className={styles.total}>{money(line_total_cents, product.currency)}</p>
      <div className={styles.controls}>
        <Quantity
          label={`Quantity of ${product.name}`}
          value={quantity}
          max={Math.max(1, Math.min(product.stock, MAX_QUANTITY))}
          onChange={(value) => setQuantity.mutate({ product, quantity: value })}
        />
        <button
          type="button"
          className="link-button"
          aria-label={`Remove ${product.name}`}
          onClick={() => {
            remove.mutate(product);
            onRemove();
          }}
        >
          Remove
        </button>
      </div>
      {quantity > product.stock && (
        <div className={styles.note}>
          <Notice tone="warning">
            {product.stock === 0
              ? 'Sold out meanwhile. Remove it to check out.'
              : `Only ${product.stock} left. Take fewer to check out.`}
          </Notice>
        </div>
      )}
    </li>
  );
}
