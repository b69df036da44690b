import { lazy, type MouseEvent, Suspense, useState } from 'react';
import { Link, useLocation } from 'react-router';
import { Icon } from '@/components/icon';
import { count } from '@/lib/format';
import { urls } from '@/lib/urls';
import { useCart } from './api';
import styles from './cart-link.module.css';

const CartDrawer = lazy(async () => ({ default: (await import('./cart-drawer')).CartDrawer }));

/** The way to the cart, with how much is in it: beside the page, or as a page of its own in another tab. */
export function CartLink({ className }: { className?: string }) {
  const items = useCart().data?.item_count ?? 0;
  const [open, setOpen] = useState(false);
  const { pathname } = useLocation();
  const click = (event: MouseEvent) => {
    const elsewhere = event.metaKey || event.ctrlKey || event.shiftKey || event.altKey;
    if (elsewhere || pathname === urls.cart() || pathname === urls.checkout()) return;
    event.preventDefault();
    setOpen(true);
  };
  return (
    <>
      <Link
        to={urls.cart()}
        className={className}
        aria-label={`Cart, ${count(items, 'item')}`}
        onClick={click}
      >
        <span className={styles.mark} data-count={items > 99 ? '99+' : items || undefined}>
          <Icon name="bag" />
        </span>
        <span className={styles.word}>Cart</span>
      </Link>
      <Suspense>{open && <CartDrawer onClose={() => setOpen(false)} />}</Suspense>
    </>
  );
}
