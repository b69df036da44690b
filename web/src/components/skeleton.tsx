import { ProductGrid } from './product-grid';
import styles from './skeleton.module.css';

/** A grey block in the place of what is coming. */
export function Skeleton({ shape }: { shape: 'line' | 'title' | 'card' | 'picture' | 'row' }) {
  return <div className={`${styles.block} ${styles[shape]}`} aria-hidden="true" data-loading />;
}

/** Several of them, announced once. */
export function Skeletons({ shape, n }: { shape: 'line' | 'row'; n: number }) {
  return (
    <div className={styles.stack} role="status" aria-label="Loading">
      {Array.from({ length: n }, (_, index) => (
        // The blocks are all alike and never move.
        // biome-ignore lint/suspicious/noArrayIndexKey: see above
        <Skeleton key={index} shape={shape} />
      ))}
    </div>
  );
}

/** A grid of product cards to come. */
export function SkeletonGrid({ n }: { n: number }) {
  return <SkeletonCards n={n} />;
}

/** A line of product cards to come. */
export function SkeletonRow({ n }: { n: number }) {
  return <SkeletonCards n={n} row />;
}

function SkeletonCards({ n, row }: { n: number; row?: boolean }) {
  return (
    <div role="status" aria-label="Loading products">
      <ProductGrid row={row}>
        {Array.from({ length: n }, (_, index) => (
          // The cards are all alike and never move.
          // biome-ignore lint/suspicious/noArrayIndexKey: see above
          <li key={index}>
            <Skeleton shape="card" />
          </li>
        ))}
      </ProductGrid>
    </div>
  );
}
