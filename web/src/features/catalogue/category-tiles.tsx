import { Link } from 'react-router';
import { Loaded } from '@/components/loaded';
import { Skeletons } from '@/components/skeleton';
import { count } from '@/lib/format';
import { urls } from '@/lib/urls';
import { useCategories } from './api';
import styles from './category-tiles.module.css';

/** Every category as a way into the catalogue. */
export function CategoryTiles() {
  const categories = useCategories();
  return (
    <Loaded query={categories} loading={<Skeletons shape="row" n={2} />}>
      {({ items }) => (
        <ul className={styles.tiles}>
          {items.map((category) => (
            <li key={category.name}>
              <Link to={urls.products({ category: category.name })}>
                <span className={styles.name}>{category.name}</span>
                <span className="muted small">{count(category.count, 'product')}</span>
              </Link>
            </li>
          ))}
        </ul>
      )}
    </Loaded>
  );
}
