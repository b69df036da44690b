import { type ComponentType, lazy, type ReactNode, Suspense } from 'react';
import { matchRoutes, type RouteObject } from 'react-router';
import { Skeletons } from '@/components/skeleton';
import { MissingScript, pageScript } from '@/lib/script';
import type { Page } from '@/lib/telemetry';
import { Layout } from './layout';
import { HomePage } from './pages/home';
import { NotFoundPage } from './pages/not-found';
import { ProductPage } from './pages/product';
import { ProductsPage } from './pages/products';

/** A page whose script comes when it is asked for; one that did not come is asked for again. */
function later(load: () => Promise<ComponentType | (() => ReactNode)>) {
  const page = () =>
    lazy(async () => {
      try {
        return { default: await pageScript(load) };
      } catch (cause) {
        throw new MissingScript(
          () => pageScript(load),
          () => {
            Page = page();
          },
          { cause },
        );
      }
    });
  let Page = page();
  // Each page waits for itself: around them all, the page before would stay, as if nothing had been clicked.
  function Later() {
    return (
      <Suspense fallback={<Skeletons shape="row" n={4} />}>
        <Page />
      </Suspense>
    );
  }
  return <Later />;
}

/** Every page of the shop. Those at which visits begin come with the first script. */
const pages: RouteObject[] = [
  { path: '/', element: <HomePage /> },
  { path: '/products', element: <ProductsPage /> },
  { path: '/products/:id', element: <ProductPage /> },
  { path: '/cart', element: later(async () => (await import('./pages/cart')).CartPage) },
  { path: '/checkout', element: later(async () => (await import('./pages/checkout')).CheckoutPage) },
  { path: '/orders', element: later(async () => (await import('./pages/orders')).OrdersPage) },
  { path: '/orders/:id', element: later(async () => (await import('./pages/order')).OrderPage) },
  { path: '/login', element: later(async () => (await import('./pages/login')).LoginPage) },
  { path: '/register', element: later(async () => (await import('./pages/register')).RegisterPage) },
  { path: '/account', element: later(async () => (await import('./pages/account')).AccountPage) },
  { path: '/admin/*', element: later(async () => (await import('./pages/admin/admin')).AdminPages) },
  { path: '*', element: <NotFoundPage /> },
];

/** The pages in the shop's frame. */
export const routes: RouteObject[] = [{ element: <Layout />, children: pages }];

/** A path's route as the API names it: `/products/{id}`, or `*` for a page that does not exist. */
export function templateOf(pathname: string): Page {
  const path = matchRoutes(pages, pathname)?.[0]?.route.path ?? '*';
  // The API knows every page, those of the admins by one name: the browser tests see its answers to their reports.
  return path.replace(/:(\w+)/g, '{$1}').replace('/admin/*', '/admin') as Page;
}
