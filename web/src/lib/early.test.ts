import { expect, it, vi } from 'vitest';
import type { Product, ProductPage } from '@/api/schema';
import { apiPaths } from '@/lib/api-paths';
import { askForPage } from '@/lib/early';
import { ConnectionError, request } from '@/lib/http';
import { filtersFromSearch } from '@/lib/urls';
import { facets, json, product, serve } from '@/test/api';

it('asks for a list and its first pictures once, and for the same as its page', async () => {
  const pictures: string[] = [];
  vi.stubGlobal(
    'Image',
    class {
      set src(url: string) {
        pictures.push(url);
      }
    },
  );
  const products = Array.from({ length: 9 }, (_, n) => product({ image_url: `/${n}.svg` }));
  const calls = serve({
    'GET /api/products': () => json({ items: products, next_cursor: null }),
    'GET /api/products/facets': () => json(facets()),
  });
  const search = '?q=mug&sort=price';
  askForPage({ pathname: '/products', search });
  const filters = filtersFromSearch(new URLSearchParams(search));
  const page = await request<ProductPage>(apiPaths.products(filters));
  expect(page.items).toHaveLength(9);
  await request(apiPaths.facets(filters));
  expect(calls.map(({ path }) => path)).toEqual([
    '/api/products?q=mug&sort=price&limit=24',
    '/api/products/facets?q=mug',
  ]);
  expect(pictures).toEqual(['/0.svg', '/1.svg', '/2.svg', '/3.svg']);
  // An answer is taken once: what is asked later is asked anew.
  await request(apiPaths.facets(filters));
  expect(calls).toHaveLength(3);
});

it('leaves failures to the page, which asks again', async () => {
  const mug = product();
  let away = true;
  serve({
    [`GET /api/products/${mug.id}`]: () => {
      if (away) throw new TypeError('away');
      return json(mug);
    },
    [`GET /api/products/${mug.id}/similar`]: () => json({ items: [], strategy: 'similar' }),
  });
  askForPage({ pathname: `/products/${mug.id}`, search: '' });
  await request(apiPaths.similar(mug.id));
  await expect(request(apiPaths.product(mug.id))).rejects.toBeInstanceOf(ConnectionError);
  away = false;
  expect(await request<Product>(apiPaths.product(mug.id))).toEqual(mug);
});

it('asks for nothing where no visit begins, or where the address is none', () => {
  const calls = serve({});
  for (const pathname of ['/cart', '/products/x/y', '/products/%', '/nowhere']) {
    askForPage({ pathname, search: '' });
  }
  expect(calls).toEqual([]);
});
