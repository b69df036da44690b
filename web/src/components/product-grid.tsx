import type { ReactNode } from 'react';
import styles from './product-grid.module.css';

/** A list of products; `row` keeps it to one line that scrolls by itself on narrow screens. */
export function ProductGrid({ children, row = false }: { children: ReactNode; row?: boolean }) {
  return <ul className={row ? styles.row : styles.grid}>{children}</ul>;
}
