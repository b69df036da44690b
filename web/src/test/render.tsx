import { QueryClientProvider } from '@tanstack/react-query';
import { render } from '@testing-library/react';
import type { ReactNode } from 'react';
import { createMemoryRouter, RouterProvider } from 'react-router';
import { routes } from '@/app/routes';
import { forgetSession } from '@/features/account/api';
import { createQueryClient } from '@/lib/query';

/** Renders something with a cache and a router of its own. */
export function renderPart(part: ReactNode) {
  return renderRoutes([{ path: '*', element: part }], '/');
}

/** Renders the whole shop at an address. */
export function renderShop(path: string) {
  return renderRoutes(routes, path);
}

function renderRoutes(routes: Parameters<typeof createMemoryRouter>[0], path: string) {
  const router = createMemoryRouter(routes, { initialEntries: [path] });
  render(
    <QueryClientProvider client={createQueryClient(forgetSession)}>
      <RouterProvider router={router} />
    </QueryClientProvider>,
  );
  return router;
}
