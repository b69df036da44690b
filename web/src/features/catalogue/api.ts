import {
  infiniteQueryOptions,
  keepPreviousData,
  queryOptions,
  useInfiniteQuery,
  useQueries,
  useQuery,
} from '@tanstack/react-query';
import type { CategoryList, Facets, Product, ProductPage, SuggestionList } from '@/api/schema';
import { apiPath, isMissing, request } from '@/lib/http';
import { type Filters, filterParameters } from '@/lib/urls';

const PAGE_SIZE = 24;

function productsOptions(filters: Filters) {
  return infiniteQueryOptions({
    queryKey: ['products', 'list', filters],
    queryFn: ({ pageParam, signal }) =>
      request<ProductPage>(
        apiPath('/api/products', { ...filterParameters(filters), limit: PAGE_SIZE, cursor: pageParam }),
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

function facetsOptions(filters: Filters) {
  const { sort: _, ...parameters } = filterParameters(filters);
  return queryOptions({
    queryKey: ['products', 'facets', parameters],
    queryFn: ({ signal }) => request<Facets>(apiPath('/api/products/facets', parameters), { signal }),
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

/** Some products by their ids, without those that have left the shop. */
export function useProductsById(ids: string[]): Product[] {
  return useQueries({
    queries: ids.map((id) => ({
      ...productOptions(id),
      retry: (failures: number, error: Error) => !isMissing(error) && failures < 2,
    })),
    combine: (results) => results.flatMap((result) => result.data ?? []),
  });
}
