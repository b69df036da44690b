import type { Order } from '@/api/schema';
import { Icon } from '@/components/icon';
import styles from './progress.module.css';

const STEPS = [
  { status: 'pending_payment', label: 'Placed' },
  { status: 'paid', label: 'Paid' },
  { status: 'shipped', label: 'On its way' },
  { status: 'delivered', label: 'Delivered' },
] as const;

/** How far an order is; nothing for one that goes no further. */
export function Progress({ status }: { status: Order['status'] }) {
  const reached = STEPS.findIndex((step) => step.status === status);
  if (reached < 0) return null;
  return (
    <ol className={styles.steps} aria-label="Progress">
      {STEPS.map((step, index) => (
        <li
          key={step.status}
          className={index <= reached ? styles.done : undefined}
          aria-current={index === reached ? 'step' : undefined}
        >
          <span className={styles.mark}>{index <= reached && <Icon name="check" />}</span>
          {step.label}
        </li>
      ))}
    </ol>
  );
}
