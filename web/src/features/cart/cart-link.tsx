import { type MouseEvent, useEffect, useRef, useState } from 'react';
import { Link, useLocation, useNavigate } from 'react-router';
import { Icon } from '@/components/icon';
import { count } from '@/lib/format';
import { script } from '@/lib/script';
import { urls } from '@/lib/urls';
import { useCart } from './api';
import type { CartDrawer } from './cart-drawer';
import styles from './cart-link.module.css';

/** The way to the cart, with how much is in it: beside the page, or as a page of its own in another tab. */
export function CartLink({ className }: { className?: string }) {
  const items = useCart().data?.item_count ?? 0;
  const [Drawer, setDrawer] = useState<typeof CartDrawer>();
  const navigate = useNavigate();
  const { pathname, key } = useLocation();
  const here = useRef(key);
  useEffect(() => {
    here.current = key;
  }, [key]);

  const open = async () => {
    const drawer = await script(() => import('./cart-drawer')).catch(() => undefined);
    // Whoever has gone on meanwhile wants it no more.
    if (here.current !== key) return;
    if (drawer) setDrawer(() => drawer.CartDrawer);
    // That page says what there is to say, and comes when it can.
    else navigate(urls.cart());
  };
  const click = (event: MouseEvent) => {
    const elsewhere = event.metaKey || event.ctrlKey || event.shiftKey || event.altKey;
    if (elsewhere || pathname === urls.cart() || pathname === urls.checkout()) return;
    event.preventDefault();
    void open();
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
      {Drawer && <Drawer onClose={() => setDrawer(undefined)} />}
    </>
  );
}
