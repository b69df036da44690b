import type { ReactNode } from 'react';
import { Icon, type IconName } from './icon';
import styles from './notice.module.css';

interface NoticeProps {
  tone: 'error' | 'warning' | 'success' | 'info';
  title?: string;
  children?: ReactNode;
}

const icons: Record<NoticeProps['tone'], IconName> = {
  error: 'alert',
  warning: 'alert',
  success: 'check',
  info: 'clock',
};

/** A message about what happened; errors interrupt a screen reader, the others wait for their turn. */
export function Notice({ tone, title, children }: NoticeProps) {
  return (
    <div className={`${styles.notice} ${styles[tone]}`} role={tone === 'error' ? 'alert' : 'status'}>
      <Icon name={icons[tone]} />
      <div className={styles.text}>
        {title && <strong>{title}</strong>}
        {children}
      </div>
    </div>
  );
}
