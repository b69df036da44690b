import { screen, waitFor, within } from '@testing-library/react';
import userEvent from '@testing-library/user-event';
import { describe, expect, it } from 'vitest';
import type { CheckoutBody } from '@/api/schema';
import { ada, type Call, cart, json, order, problem, product, serve } from '@/test/api';
import { fillAddress } from '@/test/checkout';
import { renderShop } from '@/test/render';

const mug = product();

/** A customer who is logged in and has one mug in the cart. */
function atCheckout(place: (call: Call) => Response) {
  localStorage.setItem('shopmicro.session', '1');
  const calls = serve({
    'GET /api/users/me': () => json(ada),
    'GET /api/cart': () => json(cart([[mug, 1]])),
    'POST /api/orders': place,
    [`GET /api/orders/${order().id}`]: () => json(order()),
  });
  return () => calls.filter((call) => call.method === 'POST');
}

describe('the checkout', () => {
  it('sends a guest to the login and remembers where they wanted to go', async () => {
    serve({ 'GET /api/cart': () => json(cart([[mug, 1]])) });
    const router = renderShop('/checkout');
    await screen.findByRole('heading', { name: 'Welcome back' });
    expect(router.state.location.search).toBe('?next=%2Fcheckout');
  });

  it('places one order and shows it', async () => {
    const posts = atCheckout(() => json(order(), 201));
    const router = renderShop('/checkout');
    await fillAddress();
    await userEvent.dblClick(screen.getByRole('button', { name: 'Pay £12.50' }));
    await screen.findByRole('heading', { name: 'Thank you!' });
    expect(router.state.location.pathname).toBe(`/orders/${order().id}`);
    expect(new Set(posts().map((call) => call.headers.get('Idempotency-Key'))).size).toBe(1);
    // What was typed has done its work.
    expect(Object.keys(sessionStorage).filter((key) => key.includes('checkout'))).toEqual([]);
    const body = posts()[0]?.body as CheckoutBody;
    expect(body).toEqual({
      shipping_address: { name: 'Ada', line1: '1 High St', city: 'York', postal_code: 'YO1', country: 'GB' },
      payment: { card_number: '4242424242424242' },
      expected_total_cents: 1250,
    });
  });

  it('keeps the cart when the card is declined, and takes another card under another key', async () => {
    const posts = atCheckout(({ body }) =>
      (body as CheckoutBody).payment.card_number.endsWith('0002')
        ? problem(402, 'payment-declined', { order_id: order().id })
        : json(order(), 201),
    );
    renderShop('/checkout');
    await fillAddress();
    await userEvent.click(screen.getByRole('button', { name: /Declined/ }));
    await userEvent.click(screen.getByRole('button', { name: 'Pay £12.50' }));
    await screen.findByText('Your card was declined.');
    await userEvent.click(screen.getByRole('button', { name: /Approved/ }));
    await userEvent.click(screen.getByRole('button', { name: 'Pay £12.50' }));
    await screen.findByRole('heading', { name: 'Thank you!' });
    expect(new Set(posts().map((call) => call.headers.get('Idempotency-Key'))).size).toBe(2);
  });

  it('repeats under the same key where the outcome is not known', async () => {
    let answers = 0;
    const posts = atCheckout(() => {
      answers += 1;
      return answers === 1 ? problem(503, 'unavailable') : json(order(), 201);
    });
    renderShop('/checkout');
    await fillAddress();
    await userEvent.click(screen.getByRole('button', { name: 'Pay £12.50' }));
    await screen.findByText(/Paying again is safe/);
    await userEvent.click(screen.getByRole('button', { name: 'Pay £12.50' }));
    await screen.findByRole('heading', { name: 'Thank you!' });
    expect(posts()).toHaveLength(2);
    expect(new Set(posts().map((call) => call.headers.get('Idempotency-Key'))).size).toBe(1);
  });

  it('says what is short', async () => {
    const items = [{ product_id: mug.id, name: mug.name, requested: 3, available: 2 }];
    atCheckout(() => problem(409, 'out-of-stock', { items }));
    renderShop('/checkout');
    await fillAddress();
    await userEvent.click(screen.getByRole('button', { name: 'Pay £12.50' }));
    const alert = await screen.findByRole('alert');
    within(alert).getByText(/Stoneware mug: you asked for 3, 2 are left/);
  });

  it('asks for the total that it shows, and says when there is another one', async () => {
    const posts = atCheckout(() => problem(409, 'total-changed', { total_cents: 2500 }));
    renderShop('/checkout');
    await fillAddress();
    await userEvent.click(screen.getByRole('button', { name: 'Pay £12.50' }));
    await screen.findByText('The total has changed.');
    expect(posts()[0]?.body).toMatchObject({ expected_total_cents: 1250 });
  });

  it('shows what is wrong at the field, and goes there', async () => {
    atCheckout(() =>
      problem(422, 'invalid', { errors: [{ field: 'shipping_address.city', message: 'must be a city' }] }),
    );
    renderShop('/checkout');
    await fillAddress();
    await userEvent.click(screen.getByRole('button', { name: 'Pay £12.50' }));
    const city = await screen.findByRole('textbox', { name: 'Town or city', description: 'must be a city' });
    await waitFor(() => expect(document.activeElement).toBe(city));
  });
});
