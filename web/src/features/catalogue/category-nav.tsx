import { useEffect, useRef } from 'react';
import { Link } from 'react-router';
import { Loaded } from '@/components/loaded';
import { Skeletons } from '@/components/skeleton';
import { type Filters, urls } from '@/lib/urls';
import { useCategories } from './api';
import styles from './category-nav.module.css';

/** The categories as links that keep the other filters: a column beside the list, or a line that scrolls above it. */
export function CategoryNav({ filters }: { filters: Filters }) {
  const categories = useCategories();
  const list = useRef<HTMLUListElement>(null);
  const loaded = categories.isSuccess;
  // biome-ignore lint/correctness/useExhaustiveDependencies: the chosen link moves when the list or the choice changes
  useEffect(() => {
    // Only the line itself scrolls: scrollIntoView might move the page as well.
    const chosen = list.current?.querySelector<HTMLElement>('[aria-current]');
    if (list.current && chosen) {
      list.current.scrollLeft = chosen.offsetLeft - (list.current.clientWidth - chosen.offsetWidth) / 2;
    }
  }, [loaded, filters.category]);
  return (
    <nav className={styles.nav} aria-label="Categories">
      <Loaded query={categories} quiet loading={<Skeletons shape="line" n={1} />}>
        {({ items }) => (
          <ul ref={list}>
            <li>
              <Link
                to={urls.products({ ...filters, category: '' })}
                aria-current={filters.category ? undefined : 'true'}
              >
                Everything
              </Link>
            </li>
            {items.map((category) => (
              <li key={category.name}>
                <Link
                  to={urls.products({ ...filters, category: category.name })}
                  aria-current={filters.category === category.name ? 'true' : undefined}
                >
                  {category.name} <span className={styles.count}>{category.count}</span>
                </Link>
              </li>
            ))}
          </ul>
        )}
      </Loaded>
    </nav>
  );
}
