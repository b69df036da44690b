import { PageTitle } from '@/components/page-title';
import { RequireLogin } from '@/features/account/require-login';
import { OrderList } from '@/features/orders/order-list';
import styles from './pages.module.css';

export function OrdersPage() {
  return (
    <div className={`${styles.page} ${styles.reading}`}>
      <PageTitle>Your orders</PageTitle>
      <h1>Your orders</h1>
      <RequireLogin>{() => <OrderList />}</RequireLogin>
    </div>
  );
}
