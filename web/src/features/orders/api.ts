import {
  infiniteQueryOptions,
  queryOptions,
  useInfiniteQuery,
  useMutation,
  useQuery,
  useQueryClient,
} from '@tanstack/react-query';
import { useEffect, useRef } from 'react';
import type { Order, OrderPage } from '@/api/schema';
import { apiPath, request } from '@/lib/http';
import { readAnew } from '@/lib/query';

const ordersOptions = infiniteQueryOptions({
  queryKey: ['orders', 'list'],
  queryFn: ({ pageParam, signal }) =>
    request<OrderPage>(apiPath('/api/orders', { limit: 10, cursor: pageParam }), { signal }),
  initialPageParam: undefined as string | undefined,
  getNextPageParam: (page) => page.next_cursor ?? undefined,
  select: (data) => data.pages.flatMap((page) => page.items),
});

export function useOrders() {
  return useInfiniteQuery(ordersOptions);
}

function orderOptions(id: string) {
  return queryOptions({
    queryKey: ['orders', 'one', id],
    queryFn: ({ signal }) => request<Order>(`/api/orders/${encodeURIComponent(id)}`, { signal }),
    // A pending payment settles without the customer doing anything.
    refetchInterval: (query) => (query.state.data?.status === 'pending_payment' ? 5_000 : false),
  });
}

export function useOrder(id: string) {
  const client = useQueryClient();
  const order = useQuery(orderOptions(id));
  const pending = order.data?.status === 'pending_payment';
  const awaited = useRef<string>(undefined);
  useEffect(() => {
    if (pending) {
      awaited.current = id;
    } else if (awaited.current === id) {
      // With a payment, the cart, the stock and the list of orders are settled too.
      awaited.current = undefined;
      readAnew(client);
    }
  }, [client, id, pending]);
  return order;
}

export function useCancelOrder(id: string) {
  const client = useQueryClient();
  return useMutation({
    mutationFn: () => request<Order>(`/api/orders/${encodeURIComponent(id)}/cancel`, { method: 'POST' }),
    onSuccess: (order) => client.setQueryData(orderOptions(id).queryKey, order),
    // Stock returns with a cancelled order; a refused one has moved on meanwhile.
    onSettled: () => readAnew(client),
  });
}
