import { useEffect, useRef, useState } from 'react';
import { Link, useLocation } from 'react-router';
import { Empty } from '@/components/empty';
import { Icon } from '@/components/icon';
import { Loaded } from '@/components/loaded';
import { Skeletons } from '@/components/skeleton';
import { useKeptFocus } from '@/components/use-kept-focus';
import { money } from '@/lib/format';
import { urls } from '@/lib/urls';
import { useCart } from './api';
import styles from './cart-drawer.module.css';
import { CartLines } from './cart-lines';

/** The cart beside the page. The browser keeps the focus in it, closes it by Escape and gives the focus back. */
export function CartDrawer({ onClose }: { onClose: () => void }) {
  const dialog = useRef<HTMLDialogElement>(null);
  const { key } = useLocation();
  const opened = useRef(key);
  const cart = useCart();
  const { heading, onFocus } = useKeptFocus();
  const [said, say] = useState('');
  useEffect(() => dialog.current?.showModal(), []);
  useEffect(() => {
    // A link in it leads elsewhere, and so does "back".
    if (opened.current !== key) dialog.current?.close();
  }, [key]);
  return (
    // biome-ignore lint/a11y/useKeyWithClickEvents: Escape closes a dialog by itself
    <dialog
      ref={dialog}
      className={styles.drawer}
      aria-label="Your cart"
      onClose={onClose}
      onClick={(event) => {
        // On the dialog itself, not on anything in it: the dimmed page.
        if (event.target === dialog.current) dialog.current.close();
      }}
    >
      <div className={styles.inside}>
        <header className={styles.head}>
          <h2 ref={heading} tabIndex={-1}>
            Your cart
          </h2>
          <p className="visually-hidden" role="status">
            {said}
          </p>
          <button
            type="button"
            className={styles.close}
            aria-label="Close"
            onClick={() => dialog.current?.close()}
          >
            <Icon name="cross" />
          </button>
        </header>
        <Loaded query={cart} loading={<Skeletons shape="row" n={3} />}>
          {({ items, total_cents, currency }) =>
            items.length === 0 ? (
              <div className={styles.lines}>
                <Empty icon="bag" title="Nothing in here yet">
                  <Link to={urls.products()} className="button">
                    Browse the shop
                  </Link>
                </Empty>
              </div>
            ) : (
              <>
                <div className={styles.lines}>
                  <CartLines items={items} say={say} onFocus={onFocus} />
                </div>
                <footer className={styles.foot}>
                  <p className={styles.total}>
                    <span>Total</span> <span>{money(total_cents, currency)}</span>
                  </p>
                  <Link to={urls.checkout()} className="button wide">
                    Check out
                  </Link>
                  <Link to={urls.cart()} className="button quiet wide">
                    View cart
                  </Link>
                </footer>
              </>
            )
          }
        </Loaded>
      </div>
    </dialog>
  );
}
