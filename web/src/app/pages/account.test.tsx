import { screen, waitFor } from '@testing-library/react';
import userEvent from '@testing-library/user-event';
import { describe, expect, it } from 'vitest';
import type { User } from '@/api/schema';
import { ada, cart, json, problem, product, serve } from '@/test/api';
import { fillAddress } from '@/test/checkout';
import { renderShop } from '@/test/render';

const empty = () => json(cart([]));
const mug = product();

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
