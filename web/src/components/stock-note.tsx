import styles from './stock-note.module.css';

/** From here on the customer is told how few are left. */
const FEW = 5;

/** A badge on a product's picture where stock is worth a word. */
export function StockNote({ stock }: { stock: number }) {
  if (stock > FEW) return null;
  return (
    <p className={`${styles.note} ${stock === 0 ? styles.out : styles.few}`}>
      {stock === 0 ? 'Sold out' : `Only ${stock} left`}
    </p>
  );
}
