import type { FocusEventHandler } from 'react';
import { Link } from 'react-router';
import { Icon } from '@/components/icon';
import { type Filters, urls } from '@/lib/urls';
import styles from './chosen-filters.module.css';
import { priceRange } from './facets';

interface ChosenFiltersProps {
  filters: Filters;
  currency: string;
  onFocus: FocusEventHandler;
}

/** What the list is narrowed to by price and tags, each to be taken away again. */
export function ChosenFilters({ filters, currency, onFocus }: ChosenFiltersProps) {
  const { tags, minPriceCents, maxPriceCents } = filters;
  const priced = minPriceCents !== undefined || maxPriceCents !== undefined;
  const chosen = tags.map((tag) => ({
    label: tag,
    without: { ...filters, tags: tags.filter((other) => other !== tag) },
  }));
  if (priced) {
    chosen.push({
      label: priceRange(minPriceCents, maxPriceCents, currency),
      without: { ...filters, minPriceCents: undefined, maxPriceCents: undefined },
    });
  }
  if (chosen.length === 0) return null;
  return (
    <ul className={styles.chosen} aria-label="Filters" onFocus={onFocus}>
      {chosen.map(({ label, without }) => (
        <li key={label}>
          <Link to={urls.products(without)} aria-label={`Remove ${label}`} state={{ stay: true }}>
            {label} <Icon name="cross" />
          </Link>
        </li>
      ))}
    </ul>
  );
}
