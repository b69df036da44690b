import { type ComponentProps, type FocusEventHandler, type ReactNode, useRef } from 'react';
import { More } from '@/components/more';
import styles from './admin.module.css';

interface TableProps {
  list: ComponentProps<typeof More>['list'] & { isPlaceholderData: boolean };
  /** What is told above it, if anything. */
  notice?: ReactNode;
  /** The cells of the heading. */
  head: ReactNode;
  /** The lines. */
  children: ReactNode;
  onFocus?: FocusEventHandler;
}

/** A list of the admins', dim while it is of what was asked for before. */
export function Table({ list, notice, head, children, onFocus }: TableProps) {
  const lines = useRef<HTMLTableSectionElement>(null);
  return (
    <div className={`${styles.panel} ${list.isPlaceholderData ? styles.stale : ''}`}>
      {notice}
      <div className={styles.scroll}>
        <table className={styles.table}>
          <thead>
            <tr>{head}</tr>
          </thead>
          <tbody ref={lines} onFocus={onFocus}>
            {children}
          </tbody>
        </table>
      </div>
      <More list={list} lines={lines} />
    </div>
  );
}
