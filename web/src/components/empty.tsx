import type { ReactNode } from 'react';
import styles from './empty.module.css';
import { Icon, type IconName } from './icon';

interface EmptyProps {
  icon: IconName;
  title: string;
  /** The page's own heading where there is no other. */
  heading?: 'h1' | 'h2';
  children?: ReactNode;
}

/** What stands where a list has nothing, with the way on. */
export function Empty({ icon, title, heading: Heading = 'h2', children }: EmptyProps) {
  return (
    <div className={styles.empty}>
      <span className={styles.mark}>
        <Icon name={icon} />
      </span>
      <Heading>{title}</Heading>
      {children}
    </div>
  );
}
