import type { Cart, Product } from '@/api/schema';

/** The cart as it will be once it holds so many of a product, by how many it holds; without any, the product is gone. */
export function withQuantity(cart: Cart, product: Product, quantity: (present: number) => number): Cart {
  const at = cart.items.findIndex((item) => item.product.id === product.id);
  const present = cart.items[at]?.quantity ?? 0;
  const units = quantity(present);
  const line = {
    product,
    quantity: units,
    line_total_cents: units * product.price_cents,
    added_price_cents: cart.items[at]?.added_price_cents ?? product.price_cents,
  };
  const items = at < 0 ? [...cart.items, line] : cart.items.with(at, line);
  const left = items.filter((item) => item.quantity > 0);
  return {
    ...cart,
    items: left,
    total_cents: left.reduce((sum, item) => sum + item.line_total_cents, 0),
    item_count: left.reduce((sum, item) => sum + item.quantity, 0),
  };
}
