import {
  infiniteQueryOptions,
  keepPreviousData,
  queryOptions,
  useInfiniteQuery,
  useQuery,
} from '@tanstack/react-query';
import type { CategoryList, Product, ProductPage } from '@/api/schema';
import { apiPath, request } from '@/lib/http';
import type { Filters } from '@/lib/urls';

const PAGE_SIZE = 24;

function productsOptions(filters: Filters) {
  return infiniteQueryOptions({
    queryKey: ['products', 'list', filters],
    queryFn: ({ pageParam, signal }) =>
      request<ProductPage>(
        apiPath('/api/products', {
          q: filters.q,
          category: filters.category,
          in_stock: filters.inStock || undefined,
          sort: filters.sort,
          limit: PAGE_SIZE,
          cursor: pageParam,
        }),
        { signal },
      ),
    initialPageParam: undefined as string | undefined,
    getNextPageParam: (page) => page.next_cursor ?? undefined,
    select: (data) => data.pages.flatMap((page) => page.items),
    // A change of filter keeps what is there until the answer comes, instead of a flash of grey.
    placeholderData: keepPreviousData,
  });
}

export function useProducts(filters: Filters) {
  return useInfiniteQuery(productsOptions(filters));
}

function newestOptions(limit: number) {
  return queryOptions({
    queryKey: ['products', 'newest', limit],
    queryFn: ({ signal }) =>
      request<ProductPage>(apiPath('/api/products', { sort: 'newest', in_stock: true, limit }), { signal }),
  });
}

export function useNewest(limit: number) {
  return useQuery(newestOptions(limit));
}

function productOptions(id: string) {
  return queryOptions({
    queryKey: ['products', 'one', id],
    queryFn: ({ signal }) => request<Product>(`/api/products/${encodeURIComponent(id)}`, { signal }),
  });
}

export function useProduct(id: string) {
  return useQuery(productOptions(id));
}

const categoriesOptions = queryOptions({
  queryKey: ['categories'],
  queryFn: ({ signal }) => request<CategoryList>('/api/categories', { signal }),
  staleTime: 5 * 60_000,
});

export function useCategories() {
  return useQuery(categoriesOptions);
}
