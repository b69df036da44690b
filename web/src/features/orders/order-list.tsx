import { useRef } from 'react';
import { Link } from 'react-router';
import { Empty } from '@/components/empty';
import { Loaded } from '@/components/loaded';
import { More } from '@/components/more';
import { Skeletons } from '@/components/skeleton';
import { count, date, money, orderNumber } from '@/lib/format';
import { urls } from '@/lib/urls';
import { useOrders } from './api';
import styles from './order-list.module.css';
import { StatusBadge } from '@/components/status';

/** The customer's orders, newest first. */
export function OrderList() {
  const orders = useOrders();
  const lines = useRef<HTMLUListElement>(null);
  return (
    <Loaded query={orders} loading={<Skeletons shape="row" n={4} />}>
      {(items) =>
        items.length === 0 ? (
          <Empty icon="box" title="No orders yet">
            <p className="muted">What you order appears here, with where it stands.</p>
            <Link to={urls.products()} className="button">
              Find something good
            </Link>
          </Empty>
        ) : (
          <div className={styles.list}>
            <ul ref={lines}>
              {items.map((order) => (
                <li key={order.id} className={styles.order}>
                  <div className={styles.head}>
                    <Link to={urls.order(order.id)} className={styles.link}>
                      Order {orderNumber(order.id)}
                    </Link>
                    <StatusBadge status={order.status} />
                  </div>
                  <p className="muted">
                    {date(order.created_at)} ·{' '}
                    {count(
                      order.items.reduce((sum, item) => sum + item.quantity, 0),
                      'item',
                    )}
                  </p>
                  <div className={styles.head}>
                    <p className={styles.names}>{order.items.map((item) => item.name).join(' · ')}</p>
                    <p className={styles.total}>{money(order.total_cents, order.currency)}</p>
                  </div>
                </li>
              ))}
            </ul>
            <More list={orders} lines={lines} label="Older orders" />
          </div>
        )
      }
    </Loaded>
  );
}
