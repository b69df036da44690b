import type { Order } from '@/api/schema';
import styles from './status.module.css';

const STATUS: Record<Order['status'], { label: string; tone: 'good' | 'waiting' | 'ended' | 'bad' }> = {
  pending_payment: { label: 'Payment pending', tone: 'waiting' },
  paid: { label: 'Paid', tone: 'good' },
  shipped: { label: 'On its way', tone: 'good' },
  delivered: { label: 'Delivered', tone: 'good' },
  cancelled: { label: 'Cancelled', tone: 'ended' },
  payment_failed: { label: 'Payment declined', tone: 'bad' },
};

/** Where an order stands. */
export function StatusBadge({ status }: { status: Order['status'] }) {
  const { label, tone } = STATUS[status];
  return <span className={`${styles.badge} ${styles[tone]}`}>{label}</span>;
}
