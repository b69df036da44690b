import { type FormEvent, useRef } from 'react';
import { Failure } from '@/components/failure';
import { Field } from '@/components/field';
import { Loaded } from '@/components/loaded';
import { Skeletons } from '@/components/skeleton';
import { fieldError } from '@/lib/field-errors';
import { dateTime, number } from '@/lib/format';
import { mayHaveCounted } from '@/lib/http';
import styles from './admin.module.css';
import { useAdjustStock, useLedger } from './api';

const REASONS: Record<string, string> = {
  opening: 'First count',
  import: 'Import',
  adjustment: 'Adjusted',
  order: 'Sold',
  return: 'Came back',
};

/** What a product has in stock, how that came about, and how to put it right. */
export function Stock({ id }: { id: string }) {
  const ledger = useLedger(id);
  const adjust = useAdjustStock(id);
  const form = useRef<HTMLFormElement>(null);
  const submit = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    const data = new FormData(event.currentTarget);
    adjust.mutate(
      { delta: Number(data.get('delta')), note: String(data.get('note')) },
      { onSuccess: () => form.current?.reset() },
    );
  };
  const error = (name: string) => fieldError(adjust.error, name);
  return (
    <section className={styles.panel} aria-labelledby="stock">
      <h2 id="stock">Stock</h2>
      <Loaded query={ledger} loading={<Skeletons shape="line" n={4} />}>
        {({ stock, items }) => (
          <>
            <p role="status">
              <strong>{number(stock)}</strong> in stock
            </p>
            <form ref={form} className={styles.form} onSubmit={submit}>
              <Failure error={adjust.error}>
                {mayHaveCounted(adjust.error) && (
                  <p>
                    It may have counted all the same. Adjusting again is safe: the same change counts once.
                  </p>
                )}
              </Failure>
              <div className={styles.pair}>
                <Field
                  label="Change by"
                  name="delta"
                  type="number"
                  step="1"
                  min="-1000000"
                  max="1000000"
                  hint="Less with a minus."
                  required
                  error={error('delta')}
                />
                <Field label="Why" name="note" maxLength={200} required error={error('note')} />
              </div>
              <p>
                <button type="submit" className="button quiet" disabled={adjust.isPending}>
                  {adjust.isPending ? 'Adjusting…' : 'Adjust stock'}
                </button>
              </p>
            </form>
            <div className={styles.scroll}>
              <table className={styles.table}>
                <caption className="visually-hidden">Movements, newest first</caption>
                <thead>
                  <tr>
                    <th scope="col">When</th>
                    <th scope="col">What</th>
                    <th scope="col" className={styles.number}>
                      Units
                    </th>
                  </tr>
                </thead>
                <tbody>
                  {items.map((movement) => (
                    <tr key={`${movement.at} ${movement.delta} ${movement.order_id}`}>
                      <td>{dateTime(movement.at)}</td>
                      <td>
                        {REASONS[movement.reason] ?? movement.reason}
                        {movement.note && `: ${movement.note}`}
                      </td>
                      <td className={styles.number}>
                        {movement.delta > 0 ? '+' : ''}
                        {movement.delta}
                      </td>
                    </tr>
                  ))}
                </tbody>
              </table>
            </div>
          </>
        )}
      </Loaded>
    </section>
  );
}
