import { screen } from '@testing-library/react';
import userEvent from '@testing-library/user-event';
import { expect, it } from 'vitest';
import { cart, json, serve } from '@/test/api';
import { renderShop } from '@/test/render';

const empty = () => json(cart([]));

it('an address that does not exist says so', async () => {
  serve({ 'GET /api/cart': empty });
  renderShop('/nowhere');
  await screen.findByText('There is nothing here');
});

it('its content is one step from the top, without another entry in the history', async () => {
  serve({ 'GET /api/cart': empty });
  const router = renderShop('/nowhere');
  await screen.findByText('There is nothing here');
  const { key } = router.state.location;
  await userEvent.click(screen.getByRole('link', { name: 'Skip to content' }));
  expect(document.activeElement).toBe(screen.getByRole('main'));
  expect([router.state.location.key, location.hash]).toEqual([key, '']);
});
