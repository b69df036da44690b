import { Link, useNavigate } from 'react-router';
import type { Cart, Order } from '@/api/schema';
import { Loaded } from '@/components/loaded';
import { PageTitle } from '@/components/page-title';
import { Skeletons } from '@/components/skeleton';
import { Summary } from '@/components/summary';
import { RequireLogin } from '@/features/account/require-login';
import { useCart } from '@/features/cart/api';
import { CheckoutForm } from '@/features/checkout/checkout-form';
import { UnfinishedOrder } from '@/features/checkout/unfinished-order';
import { urls } from '@/lib/urls';
import styles from './pages.module.css';

export function CheckoutPage() {
  const cart = useCart();
  const navigate = useNavigate();
  const onPlaced = (order: Order) =>
    navigate(urls.order(order.id), { replace: true, state: { placed: true } });
  return (
    <div className={styles.page}>
      <PageTitle>Checkout</PageTitle>
      <h1>Checkout</h1>
      <RequireLogin>
        {(me) => (
          <Loaded query={cart} loading={<Skeletons shape="row" n={4} />}>
            {(cart) =>
              cart.items.length === 0 ? (
                <UnfinishedOrder onPlaced={onPlaced} />
              ) : (
                <div className={styles.split}>
                  <CheckoutForm cart={cart} customerName={me.name} onPlaced={onPlaced} />
                  <div className={styles.aside}>
                    <Summary
                      title="Your order"
                      lines={linesOf(cart)}
                      totalCents={cart.total_cents}
                      currency={cart.currency}
                    >
                      <Link to={urls.cart()}>Change the cart</Link>
                    </Summary>
                  </div>
                </div>
              )
            }
          </Loaded>
        )}
      </RequireLogin>
    </div>
  );
}

function linesOf(cart: Cart) {
  return cart.items.map((item) => ({
    id: item.product.id,
    name: item.product.name,
    quantity: item.quantity,
    totalCents: item.line_total_cents,
  }));
}
