import { type ComponentType, lazy, useEffect, useState } from 'react';
import { matchRoutes, type RouteObject } from 'react-router';
import { Skeletons } from '@/components/skeleton';
import { MissingScript, pageScript, script } from '@/lib/script';
import type { Page } from '@/lib/telemetry';
import { Layout } from './layout';
import { HomePage } from './pages/home';
import { NotFoundPage } from './pages/not-found';
import { ProductPage } from './pages/product';
import { ProductsPage } from './pages/products';

type PageRoute = RouteObject & {
  /** Asks for the page's script before it is needed, where it has one of its own. */
  preload?: () => Promise<void>;
};

/** How long a page stays while the script of the next one is on its way: less is no wait, more looks like a dead link. */
export const PATIENCE_MS = 200;

/** A page whose script comes when it is asked for. One that did not come is asked for again. */
function later(load: () => Promise<ComponentType>): Pick<PageRoute, 'element' | 'preload'> {
  let page: ComponentType | undefined;
  const keep = (loaded: ComponentType) => {
    page = loaded;
  };
  const ask = () => pageScript(load).then(keep);
  // Whoever needs it then asks again, and says so where it does not come.
  const preload = () => script(load).then(keep, () => {});

  /** Where the page will stand. It suspends nothing: what React has seen wait, it holds back for a while once it is there. */
  function Place() {
    const [Page, show] = useState(() => page);
    const [missing, setMissing] = useState<MissingScript>();
    useEffect(() => {
      if (Page) return;
      ask().then(
        () => show(() => page),
        (cause) => setMissing(new MissingScript(ask, { cause })),
      );
    }, [Page]);
    if (missing) throw missing;
    return Page ? <Page /> : <Skeletons shape="row" n={4} />;
  }

  // The router navigates in transitions: the page before stays until this is there.
  const Soon = lazy(async () => {
    const enough = new Promise((resolve) => setTimeout(resolve, PATIENCE_MS));
    await Promise.race([preload(), enough]);
    return { default: Place };
  });

  function Later() {
    // Where a visit begins there is no page that could stay.
    const [Shown] = useState(() => (page || !document.getElementById('main') ? Place : Soon));
    return <Shown />;
  }
  return { element: <Later />, preload };
}

/** Every page of the shop. Those at which visits begin come with the first script. */
const pages: PageRoute[] = [
  { path: '/', element: <HomePage /> },
  { path: '/products', element: <ProductsPage /> },
  { path: '/products/:id', element: <ProductPage /> },
  { path: '/cart', ...later(async () => (await import('./pages/cart')).CartPage) },
  { path: '/checkout', ...later(async () => (await import('./pages/checkout')).CheckoutPage) },
  { path: '/orders', ...later(async () => (await import('./pages/orders')).OrdersPage) },
  { path: '/orders/:id', ...later(async () => (await import('./pages/order')).OrderPage) },
  { path: '/login', ...later(async () => (await import('./pages/login')).LoginPage) },
  { path: '/register', ...later(async () => (await import('./pages/register')).RegisterPage) },
  { path: '/account', ...later(async () => (await import('./pages/account')).AccountPage) },
  { path: '/admin/*', ...later(async () => (await import('./pages/admin/admin')).AdminPages) },
  { path: '*', element: <NotFoundPage /> },
];

/** The pages in the shop's frame. */
export const routes: RouteObject[] = [{ element: <Layout />, children: pages }];

function pageAt(pathname: string): PageRoute | undefined {
  return matchRoutes(pages, pathname)?.[0]?.route;
}

/** Asks for the script of a page whose link somebody points at, touches or comes to by the keyboard, and of the first page. */
export function preloadPages(): void {
  const ask = ({ target }: Event) => {
    const link = target instanceof Element ? target.closest('a') : null;
    if (link?.origin === location.origin) void pageAt(link.pathname)?.preload?.();
  };
  // A finger points as well, when it touches.
  for (const event of ['pointerover', 'focusin']) addEventListener(event, ask, { passive: true });
  void pageAt(location.pathname)?.preload?.();
}

/** A path's route as the API names it: `/products/{id}`, or `*` for a page that does not exist. */
export function templateOf(pathname: string): Page {
  const path = pageAt(pathname)?.path ?? '*';
  // The API knows every page, those of the admins by one name: the browser tests see its answers to their reports.
  return path.replace(/:(\w+)/g, '{$1}').replace('/admin/*', '/admin') as Page;
}
