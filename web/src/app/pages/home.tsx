import { Link } from 'react-router';
import { Icon } from '@/components/icon';
import { Section } from '@/components/section';
import { CategoryTiles } from '@/features/catalogue/category-tiles';
import { Newest } from '@/features/catalogue/newest';
import { Popular } from '@/features/recommendations/popular';
import { RecentlyViewedLater } from '@/features/catalogue/recently-viewed-later';
import { Recommended } from '@/features/recommendations/recommended';
import { Showcase } from '@/features/recommendations/showcase';
import { urls } from '@/lib/urls';
import styles from './pages.module.css';

export function HomePage() {
  return (
    <div className={styles.sections}>
      <section className={styles.hero} aria-label="Welcome">
        <div className={styles.heroText}>
          <h1>Good things, a few of each.</h1>
          <p>Useful and well made, for the kitchen, the desk, the garden and the rest of the day.</p>
          <Link to={urls.products()} className="button">
            Browse the shop <Icon name="arrow" />
          </Link>
        </div>
        <Showcase />
      </section>
      <Section title="Find your corner">
        <CategoryTiles />
      </Section>
      <Recommended />
      <Popular />
      <section className={styles.section} aria-labelledby="newest">
        <div className={styles.sectionHead}>
          <h2 id="newest">Just in</h2>
          <Link to={urls.products({ sort: 'newest' })}>All that is new</Link>
        </div>
        <Newest n={4} />
      </section>
      <RecentlyViewedLater />
    </div>
  );
}
