import { useState } from 'react';
import { Link } from 'react-router';
import { Empty } from '@/components/empty';
import { Loaded } from '@/components/loaded';
import { PageTitle } from '@/components/page-title';
import { Skeletons } from '@/components/skeleton';
import { Summary } from '@/components/summary';
import { useKeptFocus } from '@/components/use-kept-focus';
import { useCart } from '@/features/cart/api';
import { CartLines } from '@/features/cart/cart-lines';
import { urls } from '@/lib/urls';
import styles from './pages.module.css';

export function CartPage() {
  const cart = useCart();
  const { heading, onFocus } = useKeptFocus();
  const [said, say] = useState('');
  return (
    <div className={styles.page}>
      <PageTitle>Cart</PageTitle>
      <h1 ref={heading} tabIndex={-1}>
        Your cart
      </h1>
      <p className="visually-hidden" role="status">
        {said}
      </p>
      <Loaded query={cart} loading={<Skeletons shape="row" n={3} />}>
        {(cart) =>
          cart.items.length === 0 ? (
            <Empty icon="bag" title="Nothing in here yet">
              <p className="muted">What you add stays here, also when you come back later.</p>
              <Link to={urls.products()} className="button">
                Browse the shop
              </Link>
            </Empty>
          ) : (
            <div className={styles.split}>
              <CartLines items={cart.items} say={say} onFocus={onFocus} />
              <div className={styles.aside}>
                <Summary title="Summary" totalCents={cart.total_cents} currency={cart.currency}>
                  <Link to={urls.checkout()} className="button wide">
                    Check out
                  </Link>
                </Summary>
              </div>
            </div>
          )
        }
      </Loaded>
    </div>
  );
}
