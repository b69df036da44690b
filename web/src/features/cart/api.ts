import {
  type QueryClient,
  queryOptions,
  useMutation,
  useMutationState,
  useQuery,
  useQueryClient,
} from '@tanstack/react-query';
import type { Cart, Product } from '@/api/schema';
import { request } from '@/lib/http';
import { withQuantity } from './with-quantity';

/** The most units of one product that a cart holds. */
export const MAX_QUANTITY = 99;

const cartOptions = queryOptions({
  queryKey: ['cart'],
  queryFn: ({ signal }) => request<Cart>('/api/cart', { signal }),
});

export function useCart() {
  return useQuery(cartOptions);
}

const itemPath = (productId: string) => `/api/cart/items/${encodeURIComponent(productId)}`;

const changes = ['cart'];
/** Those of what the cart holds already, whose place to fail is the cart itself. */
const changesInside = [...changes, 'inside'];
/** Changes of one cart run one after the other: each answer is the whole cart, and the last one must win. */
const scope = { id: 'cart' };

/** Shows a change before the shop has answered. */
async function expect(client: QueryClient, product: Product, quantity: (present: number) => number) {
  // An older answer on its way would undo it for a moment.
  await client.cancelQueries(cartOptions);
  client.setQueryData(cartOptions.queryKey, (cart) => cart && withQuantity(cart, product, quantity));
}

/** Shows the shop's answer, unless it is older than another change that is shown already. */
function settle(client: QueryClient, cart: Cart | undefined) {
  if (client.isMutating({ mutationKey: changes }) > 1) return;
  if (cart) client.setQueryData(cartOptions.queryKey, cart);
  // What was expected did not come to pass.
  else void client.invalidateQueries(cartOptions);
}

export function useSetQuantity() {
  const client = useQueryClient();
  return useMutation({
    mutationKey: changesInside,
    scope,
    mutationFn: ({ product, quantity }: { product: Product; quantity: number }) =>
      request<Cart>(itemPath(product.id), { method: 'PUT', body: { quantity } }),
    onMutate: ({ product, quantity }) => expect(client, product, () => quantity),
    onSettled: (cart) => settle(client, cart),
  });
}

/** Adds to what the cart holds already, as far as stock and the cart's limit allow. */
export function useAddToCart() {
  const client = useQueryClient();
  const total = (present: number, { product, quantity }: { product: Product; quantity: number }) =>
    Math.min(present + quantity, Math.max(product.stock, present), MAX_QUANTITY);
  return useMutation({
    mutationKey: changes,
    scope,
    mutationFn: async (wanted: { product: Product; quantity: number }) => {
      // Another tab may have changed the cart since it was read.
      const cart = await request<Cart>('/api/cart');
      const present = cart.items.find((item) => item.product.id === wanted.product.id)?.quantity ?? 0;
      const quantity = total(present, wanted);
      const changed = await request<Cart>(itemPath(wanted.product.id), { method: 'PUT', body: { quantity } });
      return { cart: changed, added: quantity - present };
    },
    onMutate: (wanted) => expect(client, wanted.product, (present) => total(present, wanted)),
    onSettled: (done) => settle(client, done?.cart),
  });
}

export function useRemoveItem() {
  const client = useQueryClient();
  return useMutation({
    mutationKey: changesInside,
    scope,
    mutationFn: (product: Product) => request<Cart>(itemPath(product.id), { method: 'DELETE' }),
    onMutate: (product) => expect(client, product, () => 0),
    onSettled: (cart) => settle(client, cart),
  });
}

/** Why the last change of what is in the cart failed, wherever it was made; none once another has succeeded. */
export function useCartFailure(): Error | null {
  const errors = useMutationState({
    filters: { mutationKey: changesInside },
    select: (mutation) => mutation.state.error,
  });
  return errors.at(-1) ?? null;
}
