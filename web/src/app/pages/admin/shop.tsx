import { useNavigate, useParams, useSearchParams } from 'react-router';
import { Loaded } from '@/components/loaded';
import { Skeletons } from '@/components/skeleton';
import { STATUS_LABELS } from '@/components/status';
import { useMe } from '@/features/account/session';
import { useAnyOrder } from '@/features/admin/api';
import { Model } from '@/features/admin/model';
import { OrderDetail } from '@/features/admin/order-detail';
import { OrderList } from '@/features/admin/order-list';
import { Overview } from '@/features/admin/overview';
import { SearchForm } from '@/features/admin/search-form';
import { UserList } from '@/features/admin/user-list';
import { orderNumber } from '@/lib/format';
import { isMissing } from '@/lib/http';
import { urls } from '@/lib/urls';
import { NotFoundPage } from '@/app/pages/not-found';
import styles from './admin.module.css';
import { AdminPage } from './layout';

export function OverviewPage() {
  return (
    <AdminPage title="Overview">
      <Overview />
    </AdminPage>
  );
}

const STATUSES = Object.keys(STATUS_LABELS) as (keyof typeof STATUS_LABELS)[];

export function OrdersPage() {
  const [search] = useSearchParams();
  const navigate = useNavigate();
  const status = STATUSES.find((known) => known === search.get('status'));
  return (
    <AdminPage
      title="Orders"
      actions={
        <label className={styles.bar}>
          Status
          <select value={status ?? ''} onChange={(event) => navigate(urls.adminOrders(event.target.value))}>
            <option value="">Any</option>
            {STATUSES.map((known) => (
              <option key={known} value={known}>
                {STATUS_LABELS[known]}
              </option>
            ))}
          </select>
        </label>
      }
    >
      <OrderList status={status} />
    </AdminPage>
  );
}

export function OrderPage() {
  const { id = '' } = useParams();
  const order = useAnyOrder(id);
  if (isMissing(order.error)) return <NotFoundPage />;
  return (
    <AdminPage title={`Order ${orderNumber(id)}`}>
      <Loaded query={order} loading={<Skeletons shape="row" n={4} />}>
        {(order) => <OrderDetail order={order} />}
      </Loaded>
    </AdminPage>
  );
}

export function UsersPage() {
  const [search] = useSearchParams();
  const q = (search.get('q') ?? '').slice(0, 100);
  const me = useMe().data;
  return (
    <AdminPage title="Users">
      <div className={styles.bar}>
        <SearchForm label="Beginning of a name or e-mail address" q={q} to={urls.adminUsers} />
      </div>
      {me && <UserList q={q} me={me} />}
    </AdminPage>
  );
}

export function ModelPage() {
  return (
    <AdminPage title="Model">
      <Model />
    </AdminPage>
  );
}
