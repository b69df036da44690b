import { QueryClientProvider } from '@tanstack/react-query';
import { render } from '@testing-library/react';
import type { ReactNode } from 'react';
import { createMemoryRouter, RouterProvider } from 'react-router';
import { Shop } from '@/app/shop';
import { doubtSession } from '@/features/account/session';
import { createQueryClient } from '@/lib/query';

/** Renders something with a cache and a router of its own, at an address. */
export function renderPart(part: ReactNode, path = '/') {
  return renderAt(path, part);
}

/** Renders the whole shop at an address. */
export function renderShop(path: string) {
  return renderAt(path, <Shop />);
}

function renderAt(path: string, element: ReactNode) {
  const router = createMemoryRouter([{ path: '*', element }], { initialEntries: [path] });
  render(
    <QueryClientProvider client={createQueryClient(doubtSession)}>
      <RouterProvider router={router} />
    </QueryClientProvider>,
  );
  return router;
}
