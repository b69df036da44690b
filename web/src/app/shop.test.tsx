import { screen, waitFor, within } from '@testing-library/react';
import userEvent from '@testing-library/user-event';
import { describe, expect, it } from 'vitest';
import type { CheckoutBody, User } from '@/api/schema';
import { ada, type Call, cart, facets, json, order, problem, product, serve } from '@/test/api';
import { renderShop } from '@/test/render';

const empty = () => json(cart([]));
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

async function fillAddress() {
  await userEvent.type(await screen.findByLabelText('Street and number'), '1 High St');
  await userEvent.type(screen.getByLabelText('Postcode'), 'YO1');
  await userEvent.type(screen.getByLabelText('Town or city'), 'York');
}

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
    expect(screen.getAllByRole('article')).toHaveLength(2);
    // The button is gone, and with it the focus.
    await waitFor(() => expect(document.activeElement?.textContent).toBe('Teapot'));
  });
});

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

describe('an account', () => {
  it('is made, with what is wrong shown at the fields', async () => {
    let taken = true;
    serve({
      'GET /api/cart': empty,
      'POST /api/users': () =>
        taken
          ? problem(409, 'email-taken', {
              errors: [{ field: 'email', message: 'another account has this address' }],
            })
          : json(ada, 201),
      'GET /api/users/me': () => json(ada),
      'GET /api/users/me/sessions': () => json({ items: [] }),
    });
    const router = renderShop('/register?next=/account');
    await userEvent.type(await screen.findByLabelText('Name'), 'Ada');
    await userEvent.type(screen.getByLabelText('E-mail'), 'ada@example.com');
    await userEvent.type(screen.getByLabelText('Password'), 'correct horse battery');
    await userEvent.click(screen.getByRole('button', { name: 'Create account' }));
    await screen.findByText('another account has this address');
    taken = false;
    await userEvent.click(screen.getByRole('button', { name: 'Create account' }));
    await screen.findByRole('heading', { name: 'Hello, Ada' });
    expect(router.state.location.pathname).toBe('/account');
  });

  it('takes a password that nobody sees, from a password manager as well', async () => {
    serve({ 'GET /api/cart': empty });
    const { navigate } = renderShop('/login');
    for (const [path, kind] of [
      ['/login', 'current-password'],
      ['/register', 'new-password'],
    ] as const) {
      await navigate(path);
      const heading = path === '/login' ? 'Welcome back' : /account/i;
      await screen.findByRole('heading', { level: 1, name: heading });
      const password = screen.getByLabelText<HTMLInputElement>('Password');
      expect(password.type).toBe('password');
      expect(password.autocomplete).toBe(kind);
      await userEvent.click(password);
      await userEvent.paste('correct horse battery');
      expect(password.value).toBe('correct horse battery');
    }
  });

  it('leaves nothing behind when it logs out', async () => {
    localStorage.setItem('shopmicro.session', '1');
    localStorage.setItem('shopmicro.recent', mug.id);
    sessionStorage.setItem('shopmicro.address', 'York');
    let left = false;
    const calls = serve({
      'GET /api/cart': empty,
      'GET /api/users/me': () => json(ada),
      'GET /api/users/me/sessions': () => json({ items: [] }),
      'POST /api/users/logout': () => {
        left = true;
        return new Response(null, { status: 204 });
      },
    });
    renderShop('/account');
    await userEvent.click(await screen.findByRole('button', { name: 'Log out' }));
    await waitFor(() => expect(screen.queryByText(ada.email)).toBeNull());
    expect(left).toBe(true);
    await screen.findByRole('heading', { name: 'Welcome back' });
    expect(calls.filter((call) => call.path.startsWith('/api/users/me/sessions'))).toHaveLength(1);
    expect({ ...localStorage, ...sessionStorage }).toEqual({});
  });

  it('whose session has ended leads to the login', async () => {
    localStorage.setItem('shopmicro.session', '1');
    let ended = false;
    serve({
      'GET /api/cart': empty,
      'GET /api/users/me': () => (ended ? problem(401, 'unauthenticated') : json(ada)),
      'GET /api/orders': () => {
        ended = true;
        return problem(401, 'unauthenticated');
      },
    });
    const router = renderShop('/orders');
    await screen.findByRole('heading', { name: 'Welcome back' });
    expect(router.state.location.search).toBe('?next=%2Forders');
    expect(localStorage.getItem('shopmicro.session')).toBeNull();
  });

  /** The street at the checkout once somebody has logged in, after a session that ended while it was typed. */
  async function streetFor(next: User) {
    localStorage.setItem('shopmicro.session', '1');
    let user: User | undefined = ada;
    serve({
      'GET /api/users/me': () => (user ? json(user) : problem(401, 'unauthenticated')),
      'GET /api/cart': () => json(cart([[mug, 1]])),
      'POST /api/orders': () => {
        user = undefined;
        return problem(401, 'unauthenticated');
      },
      'POST /api/users/login': () => {
        user = next;
        return json(next);
      },
    });
    renderShop('/checkout');
    await fillAddress();
    await userEvent.click(screen.getByRole('button', { name: 'Pay £12.50' }));
    await screen.findByRole('heading', { name: 'Welcome back' });
    await userEvent.type(screen.getByLabelText('E-mail'), next.email);
    await userEvent.type(screen.getByLabelText('Password'), 'correct horse battery');
    await userEvent.click(screen.getByRole('button', { name: 'Log in' }));
    const street = await screen.findByLabelText<HTMLInputElement>('Street and number');
    expect(screen.getByLabelText<HTMLInputElement>('Name').value).toBe(next.name);
    return street.value;
  }

  it('finds what it typed, also after its session has ended', async () => {
    expect(await streetFor(ada)).toBe('1 High St');
  });

  it('finds nothing of whose session ended before', async () => {
    expect(await streetFor({ ...ada, id: 'grace', name: 'Grace' })).toBe('');
  });
});

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
