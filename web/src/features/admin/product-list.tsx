import { Link } from 'react-router';
import { Empty } from '@/components/empty';
import { Loaded } from '@/components/loaded';
import { Skeletons } from '@/components/skeleton';
import { money, number } from '@/lib/format';
import { urls } from '@/lib/urls';
import styles from './admin.module.css';
import { useAllProducts } from './api';
import { Table } from './table';

/** What is for sale, as admins see it. */
export function ProductList({ q }: { q: string }) {
  const products = useAllProducts(q);
  return (
    <Loaded query={products} loading={<Skeletons shape="line" n={8} />}>
      {(items) =>
        items.length === 0 ? (
          <Empty icon="search" title="No product matches" />
        ) : (
          <Table
            list={products}
            head={
              <>
                <th scope="col">Product</th>
                <th scope="col" className={styles.wide}>
                  SKU
                </th>
                <th scope="col" className={styles.wide}>
                  Category
                </th>
                <th scope="col" className={styles.number}>
                  Price
                </th>
                <th scope="col" className={styles.number}>
                  Stock
                </th>
              </>
            }
          >
            {items.map((product) => (
              <tr key={product.id}>
                <td>
                  <Link to={urls.adminProduct(product.id)}>{product.name}</Link>
                </td>
                <td className={styles.wide}>{product.sku}</td>
                <td className={styles.wide}>{product.category}</td>
                <td className={styles.number}>{money(product.price_cents, product.currency)}</td>
                <td className={styles.number}>{number(product.stock)}</td>
              </tr>
            ))}
          </Table>
        )
      }
    </Loaded>
  );
}
