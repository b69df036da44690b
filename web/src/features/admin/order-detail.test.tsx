import { screen } from '@testing-library/react';
import userEvent from '@testing-library/user-event';
import { expect, it } from 'vitest';
import type { AdminOrder, Order } from '@/api/schema';
import { json, order as anOrder, problem, serve } from '@/test/api';
import { renderPart } from '@/test/render';
import { OrderDetail } from './order-detail';

const order = (status: Order['status']): AdminOrder => ({
  ...anOrder({ status }),
  payment: 'captured',
  customer: null,
  updated_at: '2026-01-02T03:04:05Z',
});
const labels = () => screen.queryAllByRole('button').map((button) => button.textContent);
const press = (name: string) => userEvent.click(screen.getByRole('button', { name }));

it('offers what may become of an order', () => {
  renderPart(
    (['pending_payment', 'shipped', 'delivered', 'cancelled', 'payment_failed'] as const).map((status) => (
      <OrderDetail key={status} order={order(status)} />
    )),
  );
  expect(labels()).toEqual(['Cancel order', 'Mark as delivered']);
});

it('ships at once, and cancels when it is sure', async () => {
  const path = `PATCH /api/admin/orders/${order('paid').id}`;
  const calls = serve({ [path]: () => json(order('paid')) });
  renderPart(<OrderDetail order={order('paid')} />);
  await press('Cancel order');
  expect(labels()).toEqual(['Mark as shipped', 'Yes, cancel it', 'Keep it']);
  expect(document.activeElement?.textContent).toBe('Keep it');
  await press('Keep it');
  expect(labels()).toEqual(['Mark as shipped', 'Cancel order']);
  expect(document.activeElement?.textContent).toBe('Cancel order');
  expect(calls).toEqual([]);
  await press('Mark as shipped');
  await press('Cancel order');
  await press('Yes, cancel it');
  expect(calls.map(({ body }) => body)).toEqual([{ status: 'shipped' }, { status: 'cancelled' }]);
});

it('tells why an order goes another way, and asks anew', async () => {
  serve({ [`PATCH /api/admin/orders/${order('paid').id}`]: () => problem(503, 'unavailable') });
  renderPart(<OrderDetail order={order('paid')} />);
  await press('Cancel order');
  await press('Yes, cancel it');
  await screen.findByRole('alert');
  expect(labels()).toEqual(['Mark as shipped', 'Cancel order']);
});
