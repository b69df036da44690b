import { Link } from 'react-router';
import type { Order } from '@/api/schema';
import { Address } from '@/components/address';
import { Notice } from '@/components/notice';
import { Summary } from '@/components/summary';
import { useKeptFocus } from '@/components/use-kept-focus';
import { dateTime, money, orderNumber } from '@/lib/format';
import { urls } from '@/lib/urls';
import { CancelOrder } from './cancel-order';
import styles from './order-detail.module.css';
import { Progress } from './progress';
import { StatusBadge } from '@/components/status';

/** An order in full; `placed` is true where the customer comes from the checkout. */
export function OrderDetail({ order, placed }: { order: Order; placed: boolean }) {
  const { heading, onFocus } = useKeptFocus();
  const cancellable = order.status === 'paid' || order.status === 'pending_payment';
  return (
    <div className={styles.detail}>
      <div className={styles.main}>
        <header className={styles.head}>
          <h1 ref={heading} tabIndex={-1}>
            {placed && order.status === 'paid' ? 'Thank you!' : `Order ${orderNumber(order.id)}`}
          </h1>
          <StatusBadge status={order.status} />
          <p className="muted">
            Order {orderNumber(order.id)}, placed on {dateTime(order.created_at)}
          </p>
        </header>
        <Progress status={order.status} />
        <Explanation order={order} placed={placed} />
        <ul className={styles.items} aria-label="Items">
          {order.items.map((item) => (
            <li key={item.product_id}>
              <div>
                <Link to={urls.product(item.product_id)}>{item.name}</Link>
                <p className="muted small">
                  {item.quantity} × {money(item.unit_price_cents, order.currency)}
                </p>
              </div>
              <p className={styles.amount}>{money(item.line_total_cents, order.currency)}</p>
            </li>
          ))}
        </ul>
        {order.shipping_address && (
          <section className={styles.address} aria-label="Delivery address">
            <h2>Goes to</h2>
            <Address address={order.shipping_address} />
          </section>
        )}
        {cancellable && <CancelOrder id={order.id} onFocus={onFocus} />}
      </div>
      <Summary title="Summary" totalCents={order.total_cents} currency={order.currency} />
    </div>
  );
}

function Explanation({ order, placed }: { order: Order; placed: boolean }) {
  switch (order.status) {
    case 'pending_payment':
      return (
        <Notice tone="info" title="Your bank has not answered yet.">
          <p>Your order is safe and its items are set aside. This page follows the payment by itself.</p>
        </Notice>
      );
    case 'payment_failed':
      return (
        <Notice tone="info" title="The card was declined and nothing was charged.">
          <p>
            What was to be bought went back to <Link to={urls.cart()}>your cart</Link>.
          </p>
        </Notice>
      );
    case 'paid':
      return placed ? (
        <Notice tone="success" title="Your order is paid and on its way into a box.">
          <p>
            You find it again under <Link to={urls.orders()}>your orders</Link>.
          </p>
        </Notice>
      ) : null;
    case 'cancelled':
      return <Notice tone="info" title="This order is cancelled." />;
    default:
      return null;
  }
}
