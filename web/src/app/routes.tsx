import { matchRoutes, type RouteObject } from 'react-router';
import type { Page } from '@/lib/telemetry';
import { Broken } from './broken';
import { Layout } from './layout';
import { AccountPage } from './pages/account';
import { CartPage } from './pages/cart';
import { CheckoutPage } from './pages/checkout';
import { HomePage } from './pages/home';
import { LoginPage } from './pages/login';
import { NotFoundPage } from './pages/not-found';
import { OrderPage } from './pages/order';
import { OrdersPage } from './pages/orders';
import { ProductPage } from './pages/product';
import { ProductsPage } from './pages/products';
import { RegisterPage } from './pages/register';

/** Every page of the shop. */
const pages: RouteObject[] = [
  { path: '/', element: <HomePage /> },
  { path: '/products', element: <ProductsPage /> },
  { path: '/products/:id', element: <ProductPage /> },
  { path: '/cart', element: <CartPage /> },
  { path: '/checkout', element: <CheckoutPage /> },
  { path: '/orders', element: <OrdersPage /> },
  { path: '/orders/:id', element: <OrderPage /> },
  { path: '/login', element: <LoginPage /> },
  { path: '/register', element: <RegisterPage /> },
  { path: '/account', element: <AccountPage /> },
  { path: '*', element: <NotFoundPage /> },
];

export const routes: RouteObject[] = [
  {
    element: <Layout />,
    errorElement: <Broken />,
    // The inner one keeps the header where only the page is broken.
    children: [{ errorElement: <Broken />, children: pages }],
  },
];

/** A path's route as the API names it: `/products/{id}`, or `*` for a page that does not exist. */
export function templateOf(pathname: string): Page {
  const path = matchRoutes(pages, pathname)?.at(-1)?.route.path ?? '*';
  // The API knows every page: the browser tests see its answers to their reports.
  return path.replace(/:(\w+)/g, '{$1}') as Page;
}
