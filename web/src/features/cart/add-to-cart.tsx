import { useState } from 'react';
import { Link } from 'react-router';
import type { Product } from '@/api/schema';
import { Icon } from '@/components/icon';
import { Notice } from '@/components/notice';
import { Quantity } from '@/components/quantity';
import { count } from '@/lib/format';
import { explain } from '@/lib/http';
import { urls } from '@/lib/urls';
import { MAX_QUANTITY, useAddToCart } from './api';
import styles from './add-to-cart.module.css';

/** How many, the button, and what came of it. */
export function AddToCart({ product }: { product: Product }) {
  const [quantity, setQuantity] = useState(1);
  const add = useAddToCart();
  if (product.stock === 0) {
    return <Notice tone="info">This one is sold out. Have a look at what is shown below.</Notice>;
  }
  return (
    <div className={styles.add}>
      <div className={styles.row}>
        <Quantity
          label="Quantity"
          value={quantity}
          max={Math.min(product.stock, MAX_QUANTITY)}
          onChange={setQuantity}
        />
        <button
          type="button"
          className="button"
          disabled={add.isPending}
          onClick={() => add.mutate({ product, quantity })}
        >
          <Icon name="bag" />
          {add.isPending ? 'Adding…' : 'Add to cart'}
        </button>
      </div>
      {add.isError && <Notice tone="error">{explain(add.error)}</Notice>}
      {add.isSuccess && (
        <Notice tone={add.data.added > 0 ? 'success' : 'info'}>
          <p>
            {add.data.added > 0
              ? `${count(add.data.added, 'item')} added.`
              : 'Your cart already holds all that there are.'}{' '}
            <Link to={urls.cart()}>View cart</Link>
          </p>
        </Notice>
      )}
    </div>
  );
}
