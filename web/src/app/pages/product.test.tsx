import { screen, waitFor } from '@testing-library/react';
import userEvent from '@testing-library/user-event';
import { describe, expect, it } from 'vitest';
import { ada, cart, json, problem, product, serve } from '@/test/api';
import { renderShop } from '@/test/render';

const empty = () => json(cart([]));
const mug = product();

describe('a product', () => {
  it('goes into the cart on top of what is there, up to the stock', async () => {
    let inCart = cart([[mug, 8]]);
    const calls = serve({
      'GET /api/cart': () => json(inCart),
      [`GET /api/products/${mug.id}`]: () => json(mug),
      [`GET /api/products/${mug.id}/similar`]: () =>
        json({ items: [], strategy: 'similar', model_version: '1' }),
      [`PUT /api/cart/items/${mug.id}`]: ({ body }) => {
        inCart = cart([[mug, (body as { quantity: number }).quantity]]);
        return json(inCart);
      },
    });
    renderShop(`/products/${mug.id}`);
    await userEvent.click(await screen.findByRole('button', { name: 'One more' }));
    await userEvent.click(screen.getByRole('button', { name: 'One more' }));
    await userEvent.click(screen.getByRole('button', { name: 'Add to cart' }));
    await screen.findByText(/2 items added/);
    expect(calls.find((call) => call.method === 'PUT')?.body).toEqual({ quantity: 10 });
    screen.getByRole('link', { name: 'Cart, 10 items' });
  });

  it('is noted when a customer looks at it', async () => {
    localStorage.setItem('shopmicro.session', '1');
    const views = `POST /api/products/${mug.id}/views`;
    const calls = serve({
      'GET /api/cart': empty,
      'GET /api/users/me': () => json(ada),
      [`GET /api/products/${mug.id}`]: () => json(mug),
      [`GET /api/products/${mug.id}/similar`]: () =>
        json({ items: [], strategy: 'similar', model_version: '1' }),
      // The page is whole without it.
      [views]: () => problem(503, 'unavailable'),
    });
    renderShop(`/products/${mug.id}`);
    await screen.findByRole('link', { name: 'Account' });
    await screen.findByRole('heading', { name: mug.name });
    await waitFor(() => {
      expect(calls.filter(({ method, path }) => `${method} ${path}` === views)).toHaveLength(1);
    });
    expect(screen.queryByRole('alert')).toBeNull();
  });

  it('that does not exist is not found', async () => {
    serve({
      'GET /api/cart': empty,
      'GET /api/products/x': () => problem(400, 'bad-request'),
      'GET /api/products/x/similar': () => problem(400, 'bad-request'),
    });
    renderShop('/products/x');
    await screen.findByText('There is nothing here');
  });
});
