import { useState } from 'react';
import { Notice } from '@/components/notice';
import { explain } from '@/lib/http';
import { useCancelOrder } from './api';
import styles from './cancel-order.module.css';

/** Calls an order off, in two steps, since it cannot be undone. */
export function CancelOrder({ id }: { id: string }) {
  const [asking, setAsking] = useState(false);
  const cancel = useCancelOrder(id);
  return (
    <div className={styles.cancel}>
      {cancel.isError && <Notice tone="error">{explain(cancel.error)}</Notice>}
      {asking ? (
        <fieldset>
          <legend>Cancel this order? It cannot be undone.</legend>
          <button
            type="button"
            className="button"
            disabled={cancel.isPending}
            onClick={() => cancel.mutate(undefined, { onSettled: () => setAsking(false) })}
          >
            {cancel.isPending ? 'Cancelling…' : 'Yes, cancel it'}
          </button>
          <button
            type="button"
            className="button quiet"
            disabled={cancel.isPending}
            onClick={() => setAsking(false)}
          >
            Keep it
          </button>
        </fieldset>
      ) : (
        <button type="button" className="button quiet" onClick={() => setAsking(true)}>
          Cancel order
        </button>
      )}
    </div>
  );
}
