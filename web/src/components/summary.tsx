import type { ReactNode } from 'react';
import { money } from '@/lib/format';
import styles from './summary.module.css';

interface SummaryProps {
  title: string;
  lines?: { id: string; name: string; quantity: number; totalCents: number }[];
  totalCents: number;
  currency: string;
  children?: ReactNode;
}

/** The sum of a cart or an order. */
export function Summary({ title, lines, totalCents, currency, children }: SummaryProps) {
  return (
    <section className={styles.summary} aria-label={title}>
      <h2>{title}</h2>
      {lines && (
        <ul>
          {lines.map((line) => (
            <li key={line.id}>
              <span>
                {line.quantity} × {line.name}
              </span>
              <span>{money(line.totalCents, currency)}</span>
            </li>
          ))}
        </ul>
      )}
      <dl>
        <div>
          <dt>Delivery</dt>
          <dd>Free</dd>
        </div>
        <div className={styles.total}>
          <dt>Total</dt>
          <dd>{money(totalCents, currency)}</dd>
        </div>
      </dl>
      {children}
    </section>
  );
}
