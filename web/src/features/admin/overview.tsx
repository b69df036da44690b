import { Link } from 'react-router';
import type { Overview as Data } from '@/api/schema';
import { Loaded } from '@/components/loaded';
import { Skeletons } from '@/components/skeleton';
import { count, date, money, number } from '@/lib/format';
import { urls } from '@/lib/urls';
import styles from './admin.module.css';
import { useOverview } from './api';
import { Plot } from './plot';

/** What was sold, what is to be shipped, and what runs out. */
export function Overview() {
  const overview = useOverview();
  return (
    <Loaded query={overview} loading={<Skeletons shape="row" n={4} />}>
      {(data) => (
        <>
          <Figures data={data} />
          <div className={styles.plots}>
            <Plot
              title="Orders by day"
              points={data.days.map(({ day, orders }) => ({ day, value: orders }))}
              write={(value) => count(value, 'order')}
            />
            <Plot
              title="Revenue by day"
              points={data.days.map(({ day, revenue_cents }) => ({ day, value: revenue_cents }))}
              write={(value) => money(value, data.currency)}
            />
          </div>
          <LowStock products={data.low_stock} />
        </>
      )}
    </Loaded>
  );
}

function Figures({ data }: { data: Data }) {
  const today = data.days.at(-1);
  const sum = (of: (day: Data['days'][number]) => number) => data.days.reduce((sum, day) => sum + of(day), 0);
  return (
    <dl className={styles.figures}>
      <div>
        <dt>Orders today</dt>
        <dd>{number(today?.orders ?? 0)}</dd>
      </div>
      <div>
        <dt>Revenue today</dt>
        <dd>{money(today?.revenue_cents ?? 0, data.currency)}</dd>
      </div>
      <div>
        <dt>Orders in {data.days.length} days</dt>
        <dd>{number(sum((day) => day.orders))}</dd>
      </div>
      <div>
        <dt>Revenue in {data.days.length} days</dt>
        <dd>
          {money(
            sum((day) => day.revenue_cents),
            data.currency,
          )}
        </dd>
      </div>
      <div>
        <dt>To ship</dt>
        <dd>
          <Link to={urls.adminOrders('paid')}>{number(data.to_ship)}</Link>
        </dd>
      </div>
    </dl>
  );
}

function LowStock({ products }: { products: Data['low_stock'] }) {
  return (
    <section className={styles.panel} aria-labelledby="low">
      <h2 id="low">Running out</h2>
      {products.length === 0 ? (
        <p className="muted">There is enough of everything.</p>
      ) : (
        <div className={styles.scroll}>
          <table className={styles.table}>
            <thead>
              <tr>
                <th scope="col">Product</th>
                <th scope="col" className={styles.wide}>
                  Changed
                </th>
                <th scope="col" className={styles.number}>
                  Stock
                </th>
              </tr>
            </thead>
            <tbody>
              {products.map((product) => (
                <tr key={product.id}>
                  <td>
                    <Link to={urls.adminProduct(product.id)}>{product.name}</Link>
                  </td>
                  <td className={`${styles.wide} ${styles.code}`}>{date(product.updated_at)}</td>
                  <td className={styles.number}>
                    <span className={product.stock === 0 ? styles.low : undefined}>{product.stock}</span>
                  </td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
    </section>
  );
}
