import { screen } from '@testing-library/react';
import userEvent from '@testing-library/user-event';
import { expect, it, vi } from 'vitest';
import { MissingScript } from '@/lib/script';
import { cart, json, serve } from '@/test/api';
import { renderPart, renderShop } from '@/test/render';
import { Boundary } from './broken';

it('the whole frame may break, and the page still says something', async () => {
  vi.spyOn(console, 'error').mockImplementation(() => {});
  serve({
    'GET /api/cart': () => json(cart([])),
    'GET /api/products/suggestions': () => json({ items: 'no list' }),
  });
  renderShop('/nowhere');
  await userEvent.type(await screen.findByRole('combobox'), 'mug');
  await screen.findByRole('heading', { level: 1, name: 'This page broke' });
});

it('a page whose script comes in the end is shown', async () => {
  vi.spyOn(console, 'error').mockImplementation(() => {});
  vi.useFakeTimers({ shouldAdvanceTime: true });
  let there = false;
  const again = vi.fn(async () => {
    if (!there) throw new TypeError('Failed to fetch');
  });
  const missing = new MissingScript(again, { cause: new TypeError('Failed to fetch') });
  const Page = () => {
    if (!there) throw missing;
    return <p>here</p>;
  };
  renderPart(
    <Boundary place="/cart">
      <Page />
    </Boundary>,
  );
  await screen.findByRole('heading', { name: 'This page has not come' });
  await userEvent.click(screen.getByRole('button', { name: 'Try again' }), { delay: null });
  expect(again).toHaveBeenCalledTimes(1);
  await vi.advanceTimersByTimeAsync(2_000);
  expect(again.mock.calls.length).toBeGreaterThan(1);
  expect(screen.queryByText('here')).toBeNull();
  there = true;
  dispatchEvent(new Event('online'));
  await screen.findByText('here');
});
