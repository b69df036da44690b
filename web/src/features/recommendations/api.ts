import { queryOptions, useQuery } from '@tanstack/react-query';
import type { RecommendationList } from '@/api/schema';
import { apiPaths } from '@/lib/api-paths';
import { apiPath, request } from '@/lib/http';

const recommendationsOptions = queryOptions({
  queryKey: ['recommendations'],
  queryFn: ({ signal }) => request<RecommendationList>(apiPaths.recommendations(), { signal }),
});

/** For the customer who is logged in, else what is popular. */
export function useRecommendations() {
  return useQuery(recommendationsOptions);
}

const popularOptions = queryOptions({
  queryKey: ['recommendations', 'popular'],
  queryFn: ({ signal }) =>
    request<RecommendationList>(apiPath('/api/recommendations', { strategy: 'popular', limit: 12 }), {
      signal,
    }),
});

/** What is popular, whoever looks. */
export function usePopular() {
  return useQuery(popularOptions);
}

function similarOptions(productId: string) {
  return queryOptions({
    queryKey: ['similar', productId],
    queryFn: ({ signal }) => request<RecommendationList>(apiPaths.similar(productId), { signal }),
    staleTime: 5 * 60_000,
  });
}

export function useSimilar(productId: string) {
  return useQuery(similarOptions(productId));
}
