import { queryOptions, useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import type { Cart } from '@/api/schema';
import { request } from '@/lib/http';

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

/** Changes of one cart run one after the other: each answer is the whole cart, and the last one must win. */
const scope = { id: 'cart' };

export function useSetQuantity() {
  const client = useQueryClient();
  return useMutation({
    scope,
    mutationFn: ({ productId, quantity }: { productId: string; quantity: number }) =>
      request<Cart>(itemPath(productId), { method: 'PUT', body: { quantity } }),
    onSuccess: (cart) => client.setQueryData(cartOptions.queryKey, cart),
  });
}

/** Adds to what the cart holds already, as far as stock and the cart's limit allow. */
export function useAddToCart() {
  const client = useQueryClient();
  return useMutation({
    scope,
    mutationFn: async ({
      productId,
      quantity,
      stock,
    }: {
      productId: string;
      quantity: number;
      stock: number;
    }) => {
      const cart = await client.fetchQuery({ ...cartOptions, staleTime: 0, retry: false });
      const present = cart.items.find((item) => item.product.id === productId)?.quantity ?? 0;
      const total = Math.min(present + quantity, Math.max(stock, present), MAX_QUANTITY);
      const changed = await request<Cart>(itemPath(productId), { method: 'PUT', body: { quantity: total } });
      return { cart: changed, added: total - present };
    },
    onSuccess: ({ cart }) => client.setQueryData(cartOptions.queryKey, cart),
  });
}

export function useRemoveItem() {
  const client = useQueryClient();
  return useMutation({
    scope,
    mutationFn: (productId: string) => request<Cart>(itemPath(productId), { method: 'DELETE' }),
    onSuccess: (cart) => client.setQueryData(cartOptions.queryKey, cart),
  });
}
