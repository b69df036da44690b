import { type FormEvent, useEffect, useId, useRef, useState } from 'react';
import { Link, useNavigate } from 'react-router';
import type { Facets as Counts } from '@/api/schema';
import { Icon } from '@/components/icon';
import { Loaded } from '@/components/loaded';
import { Skeletons } from '@/components/skeleton';
import { money, number } from '@/lib/format';
import { type Filters, MAX_TAGS, urls } from '@/lib/urls';
import { useFacets } from './api';
import styles from './facets.module.css';

interface FacetsProps {
  filters: Filters;
  currency: string;
}

/**
 * What the list can be narrowed to, with how much each choice would show. All are links, so that each state of the list has
 * an address. Beside the list where there is room; else the categories are a line above it, and the rest behind a button.
 */
export function Facets({ filters, currency }: FacetsProps) {
  const facets = useFacets(filters);
  const [open, setOpen] = useState(false);
  const id = useId();
  return (
    <div className={styles.facets}>
      <Loaded query={facets} quiet loading={<Skeletons shape="line" n={1} />}>
        {(counts) => (
          <>
            <Categories filters={filters} counts={counts.categories} />
            <button
              type="button"
              className={`button quiet ${styles.toggle}`}
              aria-expanded={open}
              aria-controls={id}
              onClick={() => setOpen(!open)}
            >
              <Icon name={open ? 'minus' : 'plus'} /> Price and tags
            </button>
            <div id={id} className={`${styles.more} ${open ? styles.open : ''}`}>
              <Prices filters={filters} counts={counts.prices} currency={currency} />
              <Tags filters={filters} counts={counts.tags} />
            </div>
          </>
        )}
      </Loaded>
    </div>
  );
}

function Categories({ filters, counts }: { filters: Filters; counts: Counts['categories'] }) {
  const list = useRef<HTMLUListElement>(null);
  // biome-ignore lint/correctness/useExhaustiveDependencies: the chosen link moves when the choice changes
  useEffect(() => {
    // Only the line itself scrolls: scrollIntoView might move the page as well.
    const chosen = list.current?.querySelector<HTMLElement>('[aria-current]');
    if (list.current && chosen) {
      list.current.scrollLeft = chosen.offsetLeft - (list.current.clientWidth - chosen.offsetWidth) / 2;
    }
  }, [filters.category]);
  return (
    <nav className={styles.categories} aria-label="Categories">
      <h2 className={styles.title}>Category</h2>
      <ul ref={list}>
        <li>
          <Link
            to={urls.products({ ...filters, category: '' })}
            aria-current={filters.category ? undefined : 'true'}
          >
            Everything
          </Link>
        </li>
        {counts.items.map(({ value, count }) => (
          <li key={value}>
            <Link
              to={urls.products({ ...filters, category: value })}
              aria-current={filters.category === value ? 'true' : undefined}
            >
              {value} <span className={styles.count}>{number(count)}</span>
            </Link>
          </li>
        ))}
      </ul>
    </nav>
  );
}

function Prices({ filters, counts, currency }: FacetsProps & { counts: Counts['prices'] }) {
  const navigate = useNavigate();
  const id = useId();
  const bands = counts.items.filter((band) => band.count > 0);
  const submit = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    const data = new FormData(event.currentTarget);
    const [min, max] = [cents(data.get('min')), cents(data.get('max'))];
    const swapped = min !== undefined && max !== undefined && min > max;
    navigate(
      urls.products({ ...filters, minPriceCents: swapped ? max : min, maxPriceCents: swapped ? min : max }),
      { state: { stay: true } },
    );
  };
  return (
    <section className={styles.group} aria-labelledby={id}>
      <h2 id={id} className={styles.title}>
        Price
      </h2>
      <ul>
        {bands.map((band) => {
          const max = band.max_price_cents ?? undefined;
          const chosen = filters.minPriceCents === band.min_price_cents && filters.maxPriceCents === max;
          return (
            <li key={band.min_price_cents}>
              <Link
                to={urls.products({ ...filters, minPriceCents: band.min_price_cents, maxPriceCents: max })}
                aria-current={chosen ? 'true' : undefined}
                state={{ stay: true }}
              >
                {priceRange(band.min_price_cents, max, currency)}{' '}
                <span className={styles.count}>{number(band.count)}</span>
              </Link>
            </li>
          );
        })}
      </ul>
      <form
        // Another range is another form: its fields begin with it.
        key={`${filters.minPriceCents}-${filters.maxPriceCents}`}
        className={styles.range}
        onSubmit={submit}
      >
        <PriceField label="Lowest price" name="min" cents={filters.minPriceCents} />
        <span aria-hidden="true">to</span>
        <PriceField label="Highest price" name="max" cents={filters.maxPriceCents} />
        <button type="submit" className="button quiet">
          Go
        </button>
      </form>
    </section>
  );
}

function PriceField({ label, name, cents }: { label: string; name: string; cents: number | undefined }) {
  return (
    <input
      type="number"
      name={name}
      aria-label={label}
      min="0"
      max="999999"
      step="any"
      inputMode="decimal"
      defaultValue={cents === undefined ? '' : cents / 100}
    />
  );
}

function Tags({ filters, counts }: { filters: Filters; counts: Counts['tags'] }) {
  const id = useId();
  if (counts.items.length === 0 || filters.tags.length >= MAX_TAGS) return null;
  return (
    <section className={styles.group} aria-labelledby={id}>
      <h2 id={id} className={styles.title}>
        Tags
      </h2>
      <ul className={styles.tags}>
        {counts.items.map(({ value, count }) => (
          <li key={value}>
            <Link to={urls.products({ ...filters, tags: [...filters.tags, value] })} state={{ stay: true }}>
              {value} <span className={styles.count}>{number(count)}</span>
            </Link>
          </li>
        ))}
      </ul>
    </section>
  );
}

/** A range of prices as people say it; without an upper end it has none. */
export function priceRange(min: number | undefined, max: number | undefined, currency: string): string {
  if (max === undefined) return `${money(min ?? 0, currency)} and more`;
  return min ? `${money(min, currency)} – ${money(max, currency)}` : `Up to ${money(max, currency)}`;
}

function cents(value: FormDataEntryValue | null): number | undefined {
  return value ? Math.round(Number(value) * 100) : undefined;
}
