import { screen, waitFor } from '@testing-library/react';
import userEvent from '@testing-library/user-event';
import { expect, it, vi } from 'vitest';
import type { Order } from '@/api/schema';
import { ada, cart, json, order, product, serve } from '@/test/api';
import { renderShop } from '@/test/render';

const { id } = order();

/** The page of an order that stands where `status` says. */
function show(status: () => Order['status']) {
  localStorage.setItem('shopmicro.session', '1');
  const calls = serve({
    'GET /api/users/me': () => json(ada),
    // What is not paid for goes back to the cart.
    'GET /api/cart': () => json(cart(status() === 'payment_failed' ? [[product(), 1]] : [])),
    'GET /api/orders': () => json({ items: [order({ status: status() })], next_cursor: null }),
    [`GET /api/orders/${id}`]: () => json(order({ status: status() })),
    [`POST /api/orders/${id}/cancel`]: () => json(order({ status: 'cancelled' })),
  });
  renderShop(`/orders/${id}`);
  return (path: string) => calls.filter((call) => call.path === path).length;
}

it('follows a payment to its end, and what comes of it elsewhere', async () => {
  vi.useFakeTimers({ shouldAdvanceTime: true });
  let status: Order['status'] = 'pending_payment';
  const asked = show(() => status);
  await screen.findByText('Your bank has not answered yet.');
  await screen.findByRole('link', { name: 'Cart, 0 items' });
  const before = asked('/api/cart');
  await vi.advanceTimersByTimeAsync(6_000);
  expect(asked('/api/cart')).toBe(before);
  status = 'payment_failed';
  await vi.advanceTimersByTimeAsync(6_000);
  await screen.findByText(/nothing was charged/);
  await screen.findByRole('link', { name: 'Cart, 1 item' });
  expect(asked('/api/cart')).toBe(before + 1);
  await vi.advanceTimersByTimeAsync(6_000);
  expect(asked('/api/cart')).toBe(before + 1);
});

it('says nothing of a declined card that is not true for ever, and interrupts nobody for it', async () => {
  show(() => 'payment_failed');
  const notice = await screen.findByText(/nothing was charged/);
  expect(notice.closest('[role]')?.getAttribute('role')).toBe('status');
  expect(screen.queryByText(/still in/)).toBeNull();
});

it('tells that it is cancelled, and keeps the focus', async () => {
  let status: Order['status'] = 'paid';
  show(() => status);
  await userEvent.click(await screen.findByRole('button', { name: 'Cancel order' }));
  status = 'cancelled';
  await userEvent.click(screen.getByRole('button', { name: 'Yes, cancel it' }));
  const notice = await screen.findByText('This order is cancelled.');
  expect(notice.closest('[role]')?.getAttribute('role')).toBe('status');
  await waitFor(() => expect(document.activeElement?.matches('h1')).toBe(true));
});
