import { apiPath } from '@/lib/http';
import { type Filters, filterParameters } from '@/lib/urls';

const PAGE_SIZE = 24;

/** What the API is asked for where visits begin: by the pages, and before they are there (lib/early). */
export const apiPaths = {
  products: (filters: Filters, cursor?: string) =>
    apiPath('/api/products', { ...filterParameters(filters), limit: PAGE_SIZE, cursor }),
  facets: (filters: Filters) => {
    const { sort: _, ...parameters } = filterParameters(filters);
    return apiPath('/api/products/facets', parameters);
  },
  product: (id: string) => `/api/products/${encodeURIComponent(id)}`,
  similar: (id: string) => `/api/products/${encodeURIComponent(id)}/similar`,
  categories: () => '/api/categories',
  recommendations: () => apiPath('/api/recommendations', { limit: 12 }),
};
