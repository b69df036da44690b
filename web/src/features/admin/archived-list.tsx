import { Empty } from '@/components/empty';
import { Loaded } from '@/components/loaded';
import { Notice } from '@/components/notice';
import { Skeletons } from '@/components/skeleton';
import { useKeptFocus } from '@/components/use-kept-focus';
import { date } from '@/lib/format';
import { explain } from '@/lib/http';
import '@/lib/stray-clicks';
import styles from './admin.module.css';
import { useArchived, useRestoreProduct } from './api';
import { Table } from './table';

/** What was taken out of the shop, and the way back. */
export function ArchivedList() {
  const products = useArchived();
  const restore = useRestoreProduct();
  const { heading, onFocus } = useKeptFocus();
  return (
    <>
      <h2 ref={heading} tabIndex={-1} className="visually-hidden">
        Archived products
      </h2>
      <Loaded query={products} loading={<Skeletons shape="line" n={4} />}>
        {(items) =>
          items.length === 0 ? (
            <Empty icon="box" title="Nothing is archived" />
          ) : (
            <Table
              list={products}
              onFocus={onFocus}
              notice={restore.isError && <Notice tone="error">{explain(restore.error)}</Notice>}
              head={
                <>
                  <th scope="col">Product</th>
                  <th scope="col">Archived</th>
                  <th scope="col" className={styles.number}>
                    Back into the shop
                  </th>
                </>
              }
            >
              {items.map((product) => (
                <tr key={product.id}>
                  <td>{product.name}</td>
                  <td>{date(product.archived_at)}</td>
                  <td className={styles.number}>
                    <button
                      type="button"
                      className="link-button"
                      aria-label={`Restore ${product.name}`}
                      disabled={restore.isPending}
                      onClick={() => restore.mutate(product.id)}
                    >
                      Restore
                    </button>
                  </td>
                </tr>
              ))}
            </Table>
          )
        }
      </Loaded>
    </>
  );
}
