import { expect, it } from 'vitest';
import { cart, product } from '@/test/api';
import { withQuantity } from './with-quantity';

const mug = product();
const pot = product({ id: '0190a0a0-0000-7000-8000-000000000002', price_cents: 3000 });

it('changes, adds and takes away, and sums up', () => {
  const now = cart([[mug, 2, 1100]]);
  expect(withQuantity(now, mug, (present) => present + 1)).toEqual(cart([[mug, 3, 1100]]));
  expect(withQuantity(now, pot, (present) => present + 1)).toEqual(
    cart([
      [mug, 2, 1100],
      [pot, 1],
    ]),
  );
  expect(withQuantity(now, mug, () => 0)).toEqual(cart([]));
  expect(withQuantity(now, pot, () => 0)).toEqual(now);
});
