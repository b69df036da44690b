import { act, screen, waitFor } from '@testing-library/react';
import userEvent from '@testing-library/user-event';
import { expect, it, vi } from 'vitest';
import { cart, json, serve } from '@/test/api';
import { renderShop } from '@/test/render';
import { PATIENCE_MS, preloadPages } from './routes';

/** Scripts that are on their way, and which of them were asked for. */
const scripts = vi.hoisted(() => {
  const script = () => {
    let arrive = () => {};
    const arrived = new Promise<void>((resolve) => {
      arrive = resolve;
    });
    return { arrive: () => arrive(), arrived, asked: 0 };
  };
  return { cart: script(), login: script(), register: script(), orders: script() };
});

async function come<T>(name: keyof typeof scripts, page: () => Promise<T>): Promise<T> {
  scripts[name].asked += 1;
  await scripts[name].arrived;
  return page();
}
vi.mock('./pages/cart', (page) => come('cart', page));
vi.mock('./pages/login', (page) => come('login', page));
vi.mock('./pages/register', (page) => come('register', page));
// Without the way to the login.
vi.mock('./pages/orders', () => come('orders', async () => ({ OrdersPage: () => null })));

const coming = () => screen.queryByRole('status', { name: 'Loading' });

async function visit(path = '/nowhere') {
  serve({ 'GET /api/cart': () => json(cart([])) });
  const router = renderShop(path);
  await screen.findByRole('link', { name: 'Cart, 0 items' });
  return router;
}

it('a page whose script is on its way is seen to come', async () => {
  const { navigate } = await visit();
  await act(() => navigate('/cart'));
  await screen.findByRole('status', { name: 'Loading' });
  expect(screen.queryByText('There is nothing here')).toBeNull();
  scripts.cart.arrive();
  await screen.findByRole('heading', { level: 1, name: 'Your cart' });
});

it('a page whose script comes soon follows the one before, with nothing between them', async () => {
  const { navigate } = await visit();
  // However slow this machine is, it is soon.
  const real = setTimeout;
  const endless = (work: () => void, ms?: number) => (ms === PATIENCE_MS ? real(() => {}) : real(work, ms));
  vi.stubGlobal('setTimeout', endless);
  let seen = 0;
  const watch = new MutationObserver(() => {
    if (coming()) seen += 1;
  });
  watch.observe(document.body, { childList: true, subtree: true });
  await act(() => navigate('/register'));
  screen.getByText('There is nothing here');
  scripts.register.arrive();
  await screen.findByRole('button', { name: 'Create account' });
  watch.disconnect();
  vi.unstubAllGlobals();
  expect(seen).toBe(0);
});

it('a visit that begins at such a page sees it come at once', async () => {
  await visit('/orders');
  expect(coming()).not.toBeNull();
  scripts.orders.arrive();
  await waitFor(() => expect(coming()).toBeNull());
});

it('the script of a page is asked for before its link is followed', async () => {
  preloadPages();
  await visit();
  const link = screen.getByRole('link', { name: 'Log in' });
  await userEvent.hover(screen.getByRole('link', { name: 'Shop' }));
  expect(scripts.login.asked).toBe(0);
  await userEvent.hover(link);
  expect(scripts.login.asked).toBe(1);
  scripts.login.arrive();
  await act(() => scripts.login.arrived);
  await userEvent.click(link);
  await screen.findByRole('heading', { level: 1, name: 'Welcome back' });
});
