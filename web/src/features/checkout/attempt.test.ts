import { expect, it } from 'vitest';
import type { CheckoutBody } from '@/api/schema';
import { cart, product } from '@/test/api';
import { beginAttempt, endAttempt, forgetCart, openAttempt } from './attempt';

const body = (
  change: Partial<CheckoutBody['shipping_address']> = {},
  card = '4242424242424242',
): CheckoutBody => ({
  shipping_address: {
    name: 'Ada',
    line1: '1 High St',
    city: 'York',
    postal_code: 'YO1',
    country: 'GB',
    ...change,
  },
  payment: { card_number: card },
});
const mugs = cart([[product(), 2]]);

it('keeps its key while the outcome is not known', () => {
  const { key } = beginAttempt(body(), mugs);
  expect(key).toMatch(/^[0-9a-f]{32}$/);
  expect(beginAttempt(body(), mugs).key).toBe(key);
  expect(openAttempt()?.key).toBe(key);
});

it('is another one for another cart, address or card', () => {
  const keys = [
    beginAttempt(body(), mugs).key,
    beginAttempt(body({ city: 'Leeds' }), mugs).key,
    beginAttempt(body({ city: 'Leeds' }, '4000000000000002'), mugs).key,
    beginAttempt(body({ city: 'Leeds' }, '4000000000000002'), cart([[product(), 3]])).key,
  ];
  expect(new Set(keys).size).toBe(4);
});

it('is over once the outcome is known', () => {
  const { key } = beginAttempt(body(), mugs);
  endAttempt();
  expect(openAttempt()).toBeUndefined();
  expect(beginAttempt(body(), mugs).key).not.toBe(key);
});

it('is another one for what is put into the cart after it was empty', () => {
  const { key } = beginAttempt(body(), mugs);
  forgetCart();
  // It can still be asked for.
  expect(openAttempt()).toEqual({ key, body: body(), cart: '' });
  expect(beginAttempt(body(), mugs).key).not.toBe(key);
});

it('is none where there was none, however empty the cart', () => {
  forgetCart();
  expect(openAttempt()).toBeUndefined();
});

it('keeps no card number but those of the test cards', () => {
  beginAttempt(body({}, '5555444433332222'), mugs);
  expect(JSON.stringify({ ...sessionStorage })).not.toContain('5555');
});
