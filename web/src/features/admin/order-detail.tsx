import { Fragment } from 'react';
import { Link } from 'react-router';
import type { AdminOrder, Order } from '@/api/schema';
import { Address } from '@/components/address';
import { Notice } from '@/components/notice';
import { STATUS_LABELS, StatusBadge } from '@/components/status';
import { useKeptFocus } from '@/components/use-kept-focus';
import { useTwoSteps } from '@/components/use-two-steps';
import { dateTime, money } from '@/lib/format';
import { explain } from '@/lib/http';
import { urls } from '@/lib/urls';
import styles from './admin.module.css';
import { useChangeStatus } from './api';

/** What an admin can make of an order; all else only a payment may. What cannot be undone takes two steps. */
const NEXT: Record<Order['status'], { to: Order['status']; label: string; sure?: string }[]> = {
  pending_payment: [{ to: 'cancelled', label: 'Cancel order', sure: 'Yes, cancel it' }],
  paid: [
    { to: 'shipped', label: 'Mark as shipped' },
    { to: 'cancelled', label: 'Cancel order', sure: 'Yes, cancel it' },
  ],
  shipped: [{ to: 'delivered', label: 'Mark as delivered' }],
  delivered: [],
  cancelled: [],
  payment_failed: [],
};

/** Anybody's order, and how it goes on. */
export function OrderDetail({ order }: { order: AdminOrder }) {
  const change = useChangeStatus(order.id);
  const { asking, ask, leave, first, second } = useTwoSteps();
  const { heading, onFocus } = useKeptFocus();
  const address = order.shipping_address;
  return (
    <>
      <section className={styles.panel} aria-labelledby="status">
        <h2 id="status" ref={heading} tabIndex={-1}>
          Status
        </h2>
        <p className={styles.bar} role="status">
          <StatusBadge status={order.status} />
          <span className="muted">
            {STATUS_LABELS[order.status]} since {dateTime(order.updated_at)}; payment {order.payment}
          </span>
        </p>
        {change.isError && <Notice tone="error">{explain(change.error)}</Notice>}
        {NEXT[order.status].length > 0 && (
          <p className={styles.bar} onFocus={onFocus}>
            {NEXT[order.status].map(({ to, label, sure }) =>
              sure && asking ? (
                <Fragment key={to}>
                  <button
                    type="button"
                    className="button danger"
                    disabled={change.isPending}
                    onClick={() => change.mutate(to, { onSettled: leave })}
                  >
                    {sure}
                  </button>
                  <button
                    ref={second}
                    type="button"
                    className="button quiet"
                    disabled={change.isPending}
                    onClick={leave}
                  >
                    Keep it
                  </button>
                </Fragment>
              ) : (
                <button
                  key={to}
                  ref={sure ? first : undefined}
                  type="button"
                  className={sure ? 'button quiet' : 'button'}
                  disabled={change.isPending}
                  onClick={() => (sure ? ask() : change.mutate(to))}
                >
                  {label}
                </button>
              ),
            )}
          </p>
        )}
      </section>
      <section className={styles.panel} aria-labelledby="items">
        <h2 id="items">Items</h2>
        <table className={styles.table}>
          <thead>
            <tr>
              <th scope="col">Product</th>
              <th scope="col" className={styles.number}>
                Units
              </th>
              <th scope="col" className={styles.number}>
                Price
              </th>
            </tr>
          </thead>
          <tbody>
            {order.items.map((item) => (
              <tr key={item.product_id}>
                <td>
                  <Link to={urls.adminProduct(item.product_id)}>{item.name}</Link>
                </td>
                <td className={styles.number}>{item.quantity}</td>
                <td className={styles.number}>{money(item.line_total_cents, order.currency)}</td>
              </tr>
            ))}
          </tbody>
          <tfoot>
            <tr>
              <th scope="row" colSpan={2}>
                Total
              </th>
              <td className={styles.number}>{money(order.total_cents, order.currency)}</td>
            </tr>
          </tfoot>
        </table>
      </section>
      <section className={styles.panel} aria-labelledby="whom">
        <h2 id="whom">To whom</h2>
        {order.customer && (
          <p>
            <Link to={urls.adminUsers(order.customer.email)}>{order.customer.name}</Link>,{' '}
            {order.customer.email}
          </p>
        )}
        {address ? <Address address={address} /> : <p className="muted">No address is kept.</p>}
      </section>
    </>
  );
}
