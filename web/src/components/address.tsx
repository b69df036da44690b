import { Fragment } from 'react';
import type { Order } from '@/api/schema';
import { countryName } from '@/lib/format';
import styles from './address.module.css';

/** Where an order goes, line by line. */
export function Address({ address }: { address: NonNullable<Order['shipping_address']> }) {
  const { name, line1, line2, city, postal_code, country } = address;
  const lines = [name, line1, line2, `${city} ${postal_code}`, countryName(country)].filter(Boolean);
  return (
    <address className={styles.address}>
      {lines.map((line, index) => (
        // An address never changes, and two of its lines may be alike.
        // biome-ignore lint/suspicious/noArrayIndexKey: see above
        <Fragment key={index}>
          {index > 0 && <br />}
          {line}
        </Fragment>
      ))}
    </address>
  );
}
