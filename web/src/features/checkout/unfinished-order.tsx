import { useEffect, useState } from 'react';
import { Link } from 'react-router';
import type { Order } from '@/api/schema';
import { Empty } from '@/components/empty';
import { Notice } from '@/components/notice';
import { explain } from '@/lib/http';
import { urls } from '@/lib/urls';
import { usePlaceOrder } from './api';
import { forgetCart, openAttempt } from './attempt';

/**
 * What the checkout shows for an empty cart. A reload in the middle of a checkout ends here too, since the order has
 * emptied the cart: asking again under the same key then shows that order.
 */
export function UnfinishedOrder({ onPlaced }: { onPlaced: (order: Order) => void }) {
  const [attempt] = useState(openAttempt);
  const place = usePlaceOrder();
  // Whoever buys the same once more wants another order, and was told of this one.
  useEffect(forgetCart, []);
  if (!attempt) {
    return (
      <Empty icon="bag" title="Your cart is empty">
        <p className="muted">
          What was in it may be ordered already: see <Link to={urls.orders()}>your orders</Link>.
        </p>
        <Link to={urls.products()} className="button">
          Find something good
        </Link>
      </Empty>
    );
  }
  return (
    <Empty icon="clock" title="We lost sight of your order">
      <p className="muted">
        The page was left before the shop could answer. Your order is most likely there.
      </p>
      {place.isError && <Notice tone="error">{explain(place.error)}</Notice>}
      <button
        type="button"
        className="button"
        disabled={place.isPending}
        onClick={() => place.mutate(attempt, { onSuccess: onPlaced })}
      >
        {place.isPending ? 'Looking…' : 'Show my order'}
      </button>
      <Link to={urls.orders()}>All my orders</Link>
    </Empty>
  );
}
