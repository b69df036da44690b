import {
  infiniteQueryOptions,
  keepPreviousData,
  queryOptions,
  useInfiniteQuery,
  useQuery,
} from '@tanstack/react-query';
import type { CategoryList, Facets, Product, ProductPage, SuggestionList } from '@/api/schema';
import { apiPaths } from '@/lib/api-paths';
import { apiPath, request } from '@/lib/http';
import type { Filters } from '@/lib/urls';

function productsOptions(filters: Filters) {
  return infiniteQueryOptions({
    queryKey: ['products', 'list', filters],
    queryFn: ({ pageParam, signal }) =>
      request<ProductPage>(apiPaths.products(filters, pageParam), { signal }),
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

/** Tells the shop that the customer looks at a product, so that recommendations follow it. */
export function noteView(id: string): void {
  request<void>(`${apiPaths.product(id)}/views`, { method: 'POST' }).catch(() => {
    // Nobody waits for it, and one that is missing is no loss.
  });
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

export function productOptions(id: string) {
  return queryOptions({
    queryKey: ['products', 'one', id],
    queryFn: ({ signal }) => request<Product>(apiPaths.product(id), { signal }),
  });
}

export function useProduct(id: string) {
  return useQuery(productOptions(id));
}

const categoriesOptions = queryOptions({
  queryKey: ['categories'],
  queryFn: ({ signal }) => request<CategoryList>(apiPaths.categories(), { signal }),
  staleTime: 5 * 60_000,
});

export function useCategories() {
  return useQuery(categoriesOptions);
}

function facetsOptions(filters: Filters) {
  const path = apiPaths.facets(filters);
  return queryOptions({
    queryKey: ['products', 'facets', path],
    queryFn: ({ signal }) => request<Facets>(path, { signal }),
    placeholderData: keepPreviousData,
  });
}

/** What can be chosen from beside the list, with counts. */
export function useFacets(filters: Filters) {
  return useQuery(facetsOptions(filters));
}

function suggestionsOptions(text: string) {
  return queryOptions({
    queryKey: ['products', 'suggestions', text],
    queryFn: ({ signal }) =>
      request<SuggestionList>(apiPath('/api/products/suggestions', { q: text }), { signal }),
    enabled: text !== '',
    // Help that comes late or not at all is no loss: nothing is repeated.
    retry: false,
    placeholderData: keepPreviousData,
  });
}

/** What a text that is being typed may mean. */
export function useSuggestions(text: string) {
  return useQuery(suggestionsOptions(text));
}
