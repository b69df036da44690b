import { Link, useLocation, useParams } from 'react-router';
import { Loaded } from '@/components/loaded';
import { PageTitle } from '@/components/page-title';
import { Skeletons } from '@/components/skeleton';
import { RequireLogin } from '@/features/account/require-login';
import { useOrder } from '@/features/orders/api';
import { OrderDetail } from '@/features/orders/order-detail';
import { isMissing } from '@/lib/http';
import { urls } from '@/lib/urls';
import { NotFoundPage } from './not-found';
import styles from './pages.module.css';

export function OrderPage() {
  const { id = '' } = useParams();
  return <RequireLogin>{() => <OwnOrder id={id} />}</RequireLogin>;
}

function OwnOrder({ id }: { id: string }) {
  const order = useOrder(id);
  const { state } = useLocation();
  if (isMissing(order.error)) return <NotFoundPage />;
  return (
    <div className={styles.page}>
      <PageTitle>Order</PageTitle>
      <p>
        <Link to={urls.orders()}>Your orders</Link>
      </p>
      <Loaded query={order} heading="Order" loading={<Skeletons shape="row" n={3} />}>
        {(order) => <OrderDetail order={order} placed={Boolean(state?.placed)} />}
      </Loaded>
    </div>
  );
}
