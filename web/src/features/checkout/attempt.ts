import type { Cart, CheckoutBody } from '@/api/schema';
import { randomKey } from '@/lib/random';
import { tabStorage } from '@/lib/storage';
import { isTestCard } from './cards';

const STORAGE_KEY = 'shopmicro.checkout.attempt';

/** A checkout that was sent and whose outcome this tab does not know yet. */
export interface Attempt {
  /** The Idempotency-Key: repeating the request under it gives the same order, never a second one. */
  key: string;
  body: CheckoutBody;
  /** What was in the cart, since another cart is another order; nothing once that cart was seen empty. */
  cart: string;
}

/** What tells one cart from another. */
export function fingerprint(cart: Cart): string {
  return cart.items.map((item) => `${item.product.id}x${item.quantity}`).join(' ');
}

/** The attempt whose outcome is not known, if any; it survives a reload. */
export function openAttempt(): Attempt | undefined {
  const text = tabStorage.get(STORAGE_KEY);
  // Only this module writes under this key.
  return text ? (JSON.parse(text) as Attempt) : undefined;
}

/** The attempt to send: the open one where it is the same checkout of the same cart, else a new one. */
export function beginAttempt(body: CheckoutBody, cart: Cart): Attempt {
  const open = openAttempt();
  const print = fingerprint(cart);
  if (open && open.cart === print && JSON.stringify(open.body) === JSON.stringify(body)) return open;
  const attempt: Attempt = { key: randomKey(), body, cart: print };
  // Any other number is refused before an order exists, and has no business in the browser's storage.
  if (isTestCard(body.payment.card_number)) tabStorage.set(STORAGE_KEY, JSON.stringify(attempt));
  return attempt;
}

/** The cart was seen empty: one with the same in it is another from now on, though the outcome is not known yet. */
export function forgetCart(): void {
  const open = openAttempt();
  if (open) tabStorage.set(STORAGE_KEY, JSON.stringify({ ...open, cart: '' }));
}

/** The outcome is known: the next checkout is another attempt. */
export function endAttempt(): void {
  tabStorage.remove(STORAGE_KEY);
}
