import {
  type InfiniteData,
  infiniteQueryOptions,
  keepPreviousData,
  type QueryClient,
  queryOptions,
  useInfiniteQuery,
  useMutation,
  useQuery,
  useQueryClient,
} from '@tanstack/react-query';
import { useRef } from 'react';
import type {
  Adjusted,
  AdminOrder,
  AdminOrderPage,
  ArchivedPage,
  Imported,
  Ledger,
  ModelState,
  NewProductBody,
  Order,
  Overview,
  Product,
  ProductBody,
  ProductPage,
  Retraining,
  Role,
  StockBody,
  User,
  UserPage,
} from '@/api/schema';
import { apiPath, isTransient, ProblemError, request } from '@/lib/http';
import { readAnew } from '@/lib/query';
import { randomKey } from '@/lib/random';

const PAGE_SIZE = 25;

interface Page<T> {
  items: T[];
  next_cursor?: string | null;
}

/** A list of the admins', page by page. */
function listOptions<T>(name: string, path: string, query: Record<string, string | undefined>) {
  return infiniteQueryOptions({
    queryKey: ['admin', name, query],
    queryFn: ({ pageParam, signal }) =>
      request<Page<T>>(apiPath(path, { ...query, limit: PAGE_SIZE, cursor: pageParam }), { signal }),
    initialPageParam: undefined as string | undefined,
    getNextPageParam: (page) => page.next_cursor ?? undefined,
    select: (data) => data.pages.flatMap((page) => page.items),
    placeholderData: keepPreviousData,
  });
}

export function useAllProducts(q: string) {
  return useInfiniteQuery(listOptions<ProductPage['items'][number]>('products', '/api/products', { q }));
}

export function useArchived() {
  return useInfiniteQuery(
    listOptions<ArchivedPage['items'][number]>('archived', '/api/products/archived', {}),
  );
}

export function useAllOrders(status: Order['status'] | undefined) {
  return useInfiniteQuery(
    listOptions<AdminOrderPage['items'][number]>('orders', '/api/admin/orders', { status }),
  );
}

export function useUsers(q: string) {
  return useInfiniteQuery(listOptions<UserPage['items'][number]>('users', '/api/users', { q }));
}

const overviewOptions = queryOptions({
  queryKey: ['admin', 'overview'],
  queryFn: ({ signal }) => request<Overview>('/api/admin/overview', { signal }),
  refetchInterval: 60_000,
});

/** How the shop is doing; kept up to date while it is looked at. */
export function useOverview() {
  return useQuery(overviewOptions);
}

const productPath = (id: string) => `/api/products/${encodeURIComponent(id)}`;

function productOptions(id: string) {
  return queryOptions({
    queryKey: ['admin', 'product', id],
    queryFn: ({ signal }) => request<Product>(productPath(id), { signal }),
    // What is being edited must not change under one's hands: a conflict is told when it is saved.
    staleTime: Number.POSITIVE_INFINITY,
    gcTime: 0,
  });
}

export function useEditedProduct(id: string) {
  return useQuery(productOptions(id));
}

/** All that is shown of products is read anew when it is looked at. No form waits for it: it lasts as long as an outage. */
function productsChanged(client: QueryClient): void {
  void client.invalidateQueries({
    predicate: ({ queryKey: [area, name] }) => area !== 'me' && !(area === 'admin' && name === 'product'),
  });
}

/** Saves over the version that was edited; somebody else's edit meanwhile is a `version-conflict`. */
export function useSaveProduct(id: string) {
  const client = useQueryClient();
  return useMutation({
    mutationFn: ({ body, version }: { body: ProductBody; version: number }) =>
      request<Product>(productPath(id), { method: 'PUT', body, headers: { 'If-Match': `"${version}"` } }),
    onSuccess: (product) => {
      client.setQueryData(productOptions(id).queryKey, product);
      productsChanged(client);
    },
  });
}

export function useCreateProduct() {
  const client = useQueryClient();
  return useMutation({
    mutationFn: (body: NewProductBody) => request<Product>('/api/products', { method: 'POST', body }),
    onSuccess: () => productsChanged(client),
  });
}

/** Puts many new products into the shop; sent twice, they are there once. */
export function sendProducts(items: NewProductBody[]): Promise<Imported> {
  return request<Imported>('/api/products/import', { method: 'POST', body: { items } });
}

export function useArchiveProduct() {
  const client = useQueryClient();
  return useMutation({
    mutationFn: (id: string) => request<void>(productPath(id), { method: 'DELETE' }),
    onSuccess: () => productsChanged(client),
  });
}

export function useRestoreProduct() {
  const client = useQueryClient();
  return useMutation({
    mutationFn: (id: string) => request<void>(`${productPath(id)}/restore`, { method: 'POST' }),
    onSuccess: () => productsChanged(client),
  });
}

function ledgerOptions(id: string) {
  return queryOptions({
    queryKey: ['admin', 'ledger', id],
    queryFn: ({ signal }) => request<Ledger>(`${productPath(id)}/stock?limit=10`, { signal }),
  });
}

export function useLedger(id: string) {
  return useQuery(ledgerOptions(id));
}

/** Puts the stock right. The same adjustment again, after one whose outcome is not known, counts once. */
export function useAdjustStock(id: string) {
  const client = useQueryClient();
  const open = useRef<{ key: string; body: StockBody }>(undefined);
  return useMutation({
    mutationFn: (body: StockBody) => {
      const { delta, note } = open.current?.body ?? {};
      if (!open.current || delta !== body.delta || note !== body.note)
        open.current = { key: randomKey(), body };
      return request<Adjusted>(`${productPath(id)}/stock`, {
        method: 'POST',
        body,
        headers: { 'Idempotency-Key': open.current.key },
      });
    },
    onSettled: (_adjusted, error) => {
      // A refusal of whoever asks too often, or is no longer logged in, says nothing of what was sent before it.
      const unheard = error instanceof ProblemError && error.status === 401;
      if (!isTransient(error) && !unheard) open.current = undefined;
      // Where no answer came, the movements say whether it counted.
      productsChanged(client);
    },
  });
}

function orderOptions(id: string) {
  return queryOptions({
    queryKey: ['admin', 'order', id],
    queryFn: ({ signal }) => request<AdminOrder>(`/api/admin/orders/${encodeURIComponent(id)}`, { signal }),
  });
}

export function useAnyOrder(id: string) {
  return useQuery(orderOptions(id));
}

export function useChangeStatus(id: string) {
  const client = useQueryClient();
  return useMutation({
    mutationFn: (status: Order['status']) =>
      request<AdminOrder>(`/api/admin/orders/${encodeURIComponent(id)}`, {
        method: 'PATCH',
        body: { status },
      }),
    onSuccess: (order) => client.setQueryData(orderOptions(id).queryKey, order),
    onSettled: () => readAnew(client),
  });
}

export function useChangeRole() {
  const client = useQueryClient();
  return useMutation({
    mutationFn: ({ id, role }: { id: string; role: Role }) =>
      request<User>(`/api/users/${encodeURIComponent(id)}`, { method: 'PATCH', body: { role } }),
    onSuccess: (user) => {
      client.setQueriesData<InfiniteData<UserPage>>({ queryKey: ['admin', 'users'] }, (list) => {
        const changed = (item: User) => (item.id === user.id ? user : item);
        return (
          list && { ...list, pages: list.pages.map((page) => ({ ...page, items: page.items.map(changed) })) }
        );
      });
    },
    onSettled: () => {
      void client.invalidateQueries({ queryKey: ['admin', 'users'] });
    },
  });
}

/** How often a training is looked after. */
const TRAINING_MS = 1_000;

const modelOptions = (training = false) =>
  queryOptions({
    queryKey: ['admin', 'model'],
    queryFn: ({ signal }) => request<ModelState>('/api/admin/model', { signal }),
    refetchInterval: ({ state }) => {
      const stage = state.data?.model?.training?.stage;
      return training || (stage && stage !== 'idle') ? TRAINING_MS : false;
    },
    staleTime: 0,
  });

/** The model behind the recommendations; followed while another is being trained. */
export function useModel(training: boolean) {
  return useQuery(modelOptions(training));
}

/** Has another model trained; what is known of the model is then newer than the wish. */
export function useRetrain() {
  const client = useQueryClient();
  return useMutation({
    mutationFn: () => request<Retraining>('/api/admin/model/retrain', { method: 'POST' }),
    onSuccess: () => client.refetchQueries({ queryKey: modelOptions().queryKey }),
  });
}
