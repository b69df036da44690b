import { act, screen, waitFor } from '@testing-library/react';
import userEvent from '@testing-library/user-event';
import { describe, expect, it } from 'vitest';
import { cart, facets, json, product, serve } from '@/test/api';
import { renderShop } from '@/test/render';

const empty = () => json(cart([]));
const mug = product();

describe('the catalogue', () => {
  it('asks for what its address says', async () => {
    const calls = serve({
      'GET /api/cart': empty,
      'GET /api/products/facets': () => json(facets()),
      'GET /api/products': () => json({ items: [mug], next_cursor: null }),
    });
    const router = renderShop('/products?q=mug&category=Kitchen&in_stock=true');
    await screen.findByRole('link', { name: 'Stoneware mug' });
    expect(screen.getByRole('heading', { level: 1 }).textContent).toBe('“mug” in Kitchen');
    await userEvent.selectOptions(screen.getByLabelText('Sort'), 'Price, low to high');
    await waitFor(() => {
      const asked = calls.map((call) => call.path).filter((path) => path.startsWith('/api/products?'));
      expect(asked).toEqual([
        '/api/products?q=mug&category=Kitchen&in_stock=true&limit=24',
        '/api/products?q=mug&category=Kitchen&in_stock=true&sort=price&limit=24',
      ]);
    });
    expect(router.state.location.search).toBe('?q=mug&category=Kitchen&in_stock=true&sort=price');
  });

  it('tells no number of products that was that of other filters', async () => {
    let more = (_: Response) => {};
    serve({
      'GET /api/cart': empty,
      'GET /api/products/facets': ({ path }) =>
        path.includes('in_stock')
          ? new Promise((resolve) => {
              more = resolve;
            })
          : json(facets()),
      'GET /api/products': () => json({ items: [mug], next_cursor: null }),
    });
    renderShop('/products');
    await screen.findByText('1 product');
    await userEvent.click(screen.getByRole('checkbox', { name: /^In stock only/ }));
    await waitFor(() => expect(screen.queryByText('1 product')).toBeNull());
    more(json(facets({ total: { value: 2, exact: true } })));
    await screen.findByText('2 products');
  });

  it('offers tags until as many are chosen as it takes', async () => {
    serve({
      'GET /api/cart': empty,
      'GET /api/products/facets': () => json(facets()),
      'GET /api/products': () => json({ items: [mug], next_cursor: null }),
    });
    const router = renderShop('/products?tag=a,b,c,d');
    await screen.findByRole('region', { name: 'Tags' });
    await act(() => router.navigate('/products?tag=a,b,c,d,e'));
    await waitFor(() => expect(screen.queryByRole('region', { name: 'Tags' })).toBeNull());
    // All of the five count.
    screen.getByRole('link', { name: 'Remove e' });
  });

  it('adds pages by their cursor', async () => {
    const second = product({ id: '0190a0a0-0000-7000-8000-000000000002', name: 'Teapot' });
    serve({
      'GET /api/cart': empty,
      'GET /api/products/facets': () => json(facets()),
      'GET /api/products': ({ path }) =>
        path.includes('cursor=next')
          ? json({ items: [second], next_cursor: null })
          : json({ items: [mug], next_cursor: 'next' }),
    });
    renderShop('/products');
    await userEvent.click(await screen.findByRole('button', { name: 'Load more' }));
    await screen.findByText('That is all: 2 products');
    // The list follows the number a moment later.
    await waitFor(() => expect(screen.getAllByRole('article')).toHaveLength(2));
    // The button is gone, and with it the focus.
    await waitFor(() => expect(document.activeElement?.textContent).toBe('Teapot'));
  });
});
