import { Link } from 'react-router';
import type { Order } from '@/api/schema';
import { Empty } from '@/components/empty';
import { Loaded } from '@/components/loaded';
import { Skeletons } from '@/components/skeleton';
import { StatusBadge } from '@/components/status';
import { dateTime, money, orderNumber } from '@/lib/format';
import { urls } from '@/lib/urls';
import styles from './admin.module.css';
import { useAllOrders } from './api';
import { Table } from './table';

/** Everybody's orders, newest first. */
export function OrderList({ status }: { status: Order['status'] | undefined }) {
  const orders = useAllOrders(status);
  return (
    <Loaded query={orders} loading={<Skeletons shape="line" n={8} />}>
      {(items) =>
        items.length === 0 ? (
          <Empty icon="box" title="No such orders" />
        ) : (
          <Table
            list={orders}
            head={
              <>
                <th scope="col">Order</th>
                <th scope="col" className={styles.wide}>
                  Placed
                </th>
                <th scope="col" className={styles.wide}>
                  Customer
                </th>
                <th scope="col" className={styles.wide}>
                  Status
                </th>
                <th scope="col" className={styles.number}>
                  Total
                </th>
              </>
            }
          >
            {items.map((order) => (
              <tr key={order.id}>
                <td className={styles.code}>
                  <Link to={urls.adminOrder(order.id)}>{orderNumber(order.id)}</Link>
                  <span className={styles.slim}>
                    <StatusBadge status={order.status} />
                  </span>
                </td>
                <td className={styles.wide}>{dateTime(order.created_at)}</td>
                <td className={styles.wide}>{order.customer?.name ?? 'Deleted account'}</td>
                <td className={styles.wide}>
                  <StatusBadge status={order.status} />
                </td>
                <td className={styles.number}>{money(order.total_cents, order.currency)}</td>
              </tr>
            ))}
          </Table>
        )
      }
    </Loaded>
  );
}
