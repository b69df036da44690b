import { useEffect, useRef } from 'react';
import { Link, NavLink, Outlet, useLocation } from 'react-router';
import { AccountLink } from '@/features/account/account-link';
import { CartLink } from '@/features/cart/cart-link';
import { SearchBox } from '@/features/catalogue/search-box';
import { urls } from '@/lib/urls';
import { Boundary } from './broken';
import styles from './layout.module.css';
import { Logo } from './logo';
import { OfflineNote } from './offline-note';
import { useScroll } from './use-scroll';

/** The frame of every page. */
export function Layout() {
  const main = useRef<HTMLElement>(null);
  const { pathname } = useLocation();
  useScroll();
  const shown = useRef(pathname);
  useEffect(() => {
    // After a navigation the keyboard and the screen reader begin at the new page, not at the link left behind.
    if (shown.current !== pathname) main.current?.focus({ preventScroll: true });
    shown.current = pathname;
  }, [pathname]);

  return (
    <div className={styles.frame}>
      {/* biome-ignore lint/a11y/useValidAnchor: it leads to a part of the page, also by itself */}
      <a
        href="#main"
        className={styles.skip}
        onClick={(event) => {
          // To the router, a fragment would be another page to begin at its top, and to go back from.
          event.preventDefault();
          main.current?.focus();
        }}
      >
        Skip to content
      </a>
      <header className={styles.header}>
        <div className={styles.bar}>
          <Link to={urls.home()} className={styles.brand} aria-label="ShopMicro, home">
            <Logo />
            <span>ShopMicro</span>
          </Link>
          <div className={styles.search}>
            <SearchBox />
          </div>
          <nav className={styles.nav} aria-label="Main">
            <NavLink to={urls.products()} className={styles.item}>
              Shop
            </NavLink>
            <AccountLink className={styles.item} />
            <CartLink className={styles.item} />
          </nav>
        </div>
      </header>
      <main id="main" ref={main} tabIndex={-1} className={styles.main}>
        <OfflineNote />
        <Boundary place={pathname}>
          <Outlet />
        </Boundary>
      </main>
      <footer className={styles.footer}>
        <div>
          <p>
            <strong>ShopMicro</strong>
            <br />A demonstration shop: nothing is sold, and no money moves.
          </p>
          <nav aria-label="Footer">
            <Link to={urls.products()}>All products</Link>
            <Link to={urls.orders()}>Your orders</Link>
            <Link to={urls.account()}>Your account</Link>
          </nav>
        </div>
      </footer>
    </div>
  );
}
