import type { ReactNode, Ref } from 'react';
import styles from './product-grid.module.css';

interface ProductGridProps {
  children: ReactNode;
  row?: boolean;
  ref?: Ref<HTMLUListElement>;
}

/** A list of products; `row` keeps it to one line that scrolls by itself on narrow screens. */
export function ProductGrid({ children, row = false, ref }: ProductGridProps) {
  return (
    <ul ref={ref} className={row ? styles.row : styles.grid}>
      {children}
    </ul>
  );
}
