import { Link } from 'react-router';
import { Icon } from '@/components/icon';
import { count } from '@/lib/format';
import { urls } from '@/lib/urls';
import { useCart } from './api';
import styles from './cart-link.module.css';

/** The way to the cart, with how much is in it. */
export function CartLink({ className }: { className?: string }) {
  const items = useCart().data?.item_count ?? 0;
  return (
    <Link to={urls.cart()} className={className} aria-label={`Cart, ${count(items, 'item')}`}>
      <span className={styles.mark}>
        <Icon name="bag" />
        {items > 0 && <span className={styles.count}>{items > 99 ? '99+' : items}</span>}
      </span>
      <span className={styles.word}>Cart</span>
    </Link>
  );
}
