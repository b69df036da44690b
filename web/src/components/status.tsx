import type { Order } from '@/api/schema';
import styles from './status.module.css';

type Status = Order['status'];

/** What customers and admins call where an order stands. */
export const STATUS_LABELS: Record<Status, string> = {
  pending_payment: 'Payment pending',
  paid: 'Paid',
  shipped: 'On its way',
  delivered: 'Delivered',
  cancelled: 'Cancelled',
  payment_failed: 'Payment declined',
};

const TONES: Record<Status, 'good' | 'waiting' | 'ended' | 'bad'> = {
  pending_payment: 'waiting',
  paid: 'good',
  shipped: 'good',
  delivered: 'good',
  cancelled: 'ended',
  payment_failed: 'bad',
};

/** Where an order stands. */
export function StatusBadge({ status }: { status: Status }) {
  return <span className={`${styles.badge} ${styles[TONES[status]]}`}>{STATUS_LABELS[status]}</span>;
}
