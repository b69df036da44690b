import { act, screen } from '@testing-library/react';
import { expect, it, vi } from 'vitest';
import { cart, json, serve } from '@/test/api';
import { renderShop } from '@/test/render';

const script = vi.hoisted(() => {
  let arrive = () => {};
  const arrived = new Promise<void>((resolve) => {
    arrive = resolve;
  });
  return { arrive, arrived };
});

vi.mock('./pages/cart', async (page) => {
  await script.arrived;
  return page();
});

it('a page whose script is on its way is seen to come', async () => {
  serve({ 'GET /api/cart': () => json(cart([])) });
  const { navigate } = renderShop('/nowhere');
  await screen.findByText('There is nothing here');
  await act(() => navigate('/cart'));
  screen.getByRole('status', { name: 'Loading' });
  expect(screen.queryByText('There is nothing here')).toBeNull();
  script.arrive();
  await screen.findByRole('heading', { level: 1, name: 'Your cart' });
});
