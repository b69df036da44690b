import { screen, waitFor } from '@testing-library/react';
import userEvent from '@testing-library/user-event';
import { describe, expect, it } from 'vitest';
import { cart, json, product, serve } from '@/test/api';
import { renderShop } from '@/test/render';

const mug = product();

describe('the cart', () => {
  it('says which price and which stock have changed', async () => {
    const short = product({ id: '0190a0a0-0000-7000-8000-000000000002', name: 'Teapot', stock: 1 });
    serve({
      'GET /api/cart': () =>
        json(
          cart([
            [mug, 1, 1100],
            [short, 2],
          ]),
        ),
    });
    renderShop('/cart');
    await screen.findByText('£12.50 each, was £11.00 when you put it in');
    screen.getByText('£12.50 each');
    screen.getByText('Only 1 left. Take fewer to check out.');
  });
});

it.each([
  ['page', '/cart', 'h1'],
  ['drawer', '/nowhere', 'h2'],
])('the cart on its %s says what was removed, and keeps the focus', async (_, path, heading) => {
  const pot = product({ id: '0190a0a0-0000-7000-8000-000000000002', name: 'Teapot' });
  let lines: Parameters<typeof cart>[0] = [
    [mug, 1],
    [pot, 1],
  ];
  const remove = (id: string) => () => {
    lines = lines.filter(([product]) => product.id !== id);
    return json(cart(lines));
  };
  serve({
    'GET /api/cart': () => json(cart(lines)),
    [`DELETE /api/cart/items/${mug.id}`]: remove(mug.id),
    [`DELETE /api/cart/items/${pot.id}`]: remove(pot.id),
  });
  renderShop(path);
  await userEvent.click(await screen.findByRole('link', { name: 'Cart, 2 items' }));
  await userEvent.click(await screen.findByRole('button', { name: 'Remove Stoneware mug' }));
  await screen.findByText('Removed Stoneware mug');
  await waitFor(() => expect(document.activeElement?.textContent).toBe('Teapot'));
  await userEvent.click(screen.getByRole('button', { name: 'Remove Teapot' }));
  await screen.findByText('Removed Teapot');
  await waitFor(() => expect(document.activeElement?.matches(heading)).toBe(true));
});
