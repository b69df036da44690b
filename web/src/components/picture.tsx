import { type ComponentProps, useState } from 'react';
import styles from './picture.module.css';

/** A product's picture. One that cannot be had leaves its quiet frame, not the browser's broken image. */
export function Picture({ src, alt, ...image }: ComponentProps<'img'> & { src: string; alt: string }) {
  const [broken, setBroken] = useState<string>();
  return (
    <img
      {...image}
      src={src}
      alt={alt}
      className={broken === src ? `${styles.picture} ${styles.broken}` : styles.picture}
      onError={() => setBroken(src)}
    />
  );
}
