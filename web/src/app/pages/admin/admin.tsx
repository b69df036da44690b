import { type RouteObject, useRoutes } from 'react-router';
import { NotFoundPage } from '@/app/pages/not-found';
import { AdminLayout } from './layout';
import { ArchivedPage, ImportPage, NewProductPage, ProductPage, ProductsPage } from './products';
import { ModelPage, OrderPage, OrdersPage, OverviewPage, UsersPage } from './shop';

const routes: RouteObject[] = [
  {
    element: <AdminLayout />,
    children: [
      { index: true, element: <OverviewPage /> },
      { path: 'products', element: <ProductsPage /> },
      { path: 'products/new', element: <NewProductPage /> },
      { path: 'products/archived', element: <ArchivedPage /> },
      { path: 'products/import', element: <ImportPage /> },
      { path: 'products/:id', element: <ProductPage /> },
      { path: 'orders', element: <OrdersPage /> },
      { path: 'orders/:id', element: <OrderPage /> },
      { path: 'users', element: <UsersPage /> },
      { path: 'model', element: <ModelPage /> },
      { path: '*', element: <NotFoundPage /> },
    ],
  },
];

/** The admins' pages, all in one script that no customer loads. */
export function AdminPages() {
  return useRoutes(routes);
}
