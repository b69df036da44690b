import type { FocusEventHandler } from 'react';
import { Notice } from '@/components/notice';
import { useTwoSteps } from '@/components/use-two-steps';
import { explain } from '@/lib/http';
import { useCancelOrder } from './api';
import styles from './cancel-order.module.css';

interface CancelOrderProps {
  id: string;
  onFocus: FocusEventHandler;
}

/** Calls an order off, in two steps, since it cannot be undone. */
export function CancelOrder({ id, onFocus }: CancelOrderProps) {
  const { asking, ask, leave, first, second } = useTwoSteps();
  const cancel = useCancelOrder(id);
  return (
    // biome-ignore lint/a11y/noStaticElementInteractions: it only hears where the focus is
    <div className={styles.cancel} onFocus={onFocus}>
      {cancel.isError && <Notice tone="error">{explain(cancel.error)}</Notice>}
      {asking ? (
        <fieldset>
          <legend>Cancel this order? It cannot be undone.</legend>
          <button
            type="button"
            className="button danger"
            disabled={cancel.isPending}
            onClick={() => cancel.mutate(undefined, { onSettled: leave })}
          >
            {cancel.isPending ? 'Cancelling…' : 'Yes, cancel it'}
          </button>
          <button
            ref={second}
            type="button"
            className="button quiet"
            disabled={cancel.isPending}
            onClick={leave}
          >
            Keep it
          </button>
        </fieldset>
      ) : (
        <button ref={first} type="button" className="button quiet" onClick={ask}>
          Cancel order
        </button>
      )}
    </div>
  );
}
