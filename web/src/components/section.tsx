import type { ReactNode } from 'react';
import styles from './section.module.css';

/** A part of a page under its title. */
export function Section({ title, children }: { title: string; children: ReactNode }) {
  return (
    <section className={styles.section} aria-label={title}>
      <h2>{title}</h2>
      {children}
    </section>
  );
}
