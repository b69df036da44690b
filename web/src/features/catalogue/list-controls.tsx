import { startTransition, useId, useOptimistic } from 'react';
import { useNavigate } from 'react-router';
import type { Sort } from '@/api/schema';
import { number } from '@/lib/format';
import { type Filters, urls } from '@/lib/urls';
import styles from './list-controls.module.css';

const LABELS: Record<Sort, string> = {
  relevance: 'Best match',
  newest: 'Newest',
  price: 'Price, low to high',
  '-price': 'Price, high to low',
  name: 'Name',
};

/** The order of the list, and whether it shows what is sold out. */
export function ListControls({ filters, inStock }: { filters: Filters; inStock: number | undefined }) {
  const navigate = useNavigate();
  const id = useId();
  // The address decides, but it changes a moment later than the control must.
  const [shown, show] = useOptimistic(filters);
  const apply = (change: Partial<Filters>) =>
    startTransition(async () => {
      show({ ...filters, ...change });
      await navigate(urls.products({ ...filters, ...change }), { state: { stay: true } });
    });
  const fallback: Sort = filters.q ? 'relevance' : 'newest';
  const sorts: Sort[] = ['newest', 'price', '-price', 'name'];
  if (filters.q) sorts.unshift('relevance');
  return (
    <div className={styles.controls}>
      <label className={styles.check}>
        <input
          type="checkbox"
          checked={shown.inStock}
          onChange={(event) => apply({ inStock: event.target.checked })}
        />
        In stock only {inStock !== undefined && <span className="muted small">{number(inStock)}</span>}
      </label>
      <div className={styles.sort}>
        <label htmlFor={id}>Sort</label>
        <select
          id={id}
          value={shown.sort ?? fallback}
          onChange={(event) => {
            const sort = sorts.find((known) => known === event.target.value);
            apply({ sort: sort === fallback ? undefined : sort });
          }}
        >
          {sorts.map((sort) => (
            <option key={sort} value={sort}>
              {LABELS[sort]}
            </option>
          ))}
        </select>
      </div>
    </div>
  );
}
