import type { Sort } from '@/api/schema';

/** Every address of the shop in one place. */
export const urls = {
  home: () => '/',
  products: (filters: Partial<Filters> = {}) => {
    const search = filtersToSearch(filters).toString();
    return search ? `/products?${search}` : '/products';
  },
  product: (id: string) => `/products/${encodeURIComponent(id)}`,
  cart: () => '/cart',
  checkout: () => '/checkout',
  orders: () => '/orders',
  order: (id: string) => `/orders/${encodeURIComponent(id)}`,
  login: (next?: string) => withNext('/login', next),
  register: (next?: string) => withNext('/register', next),
  account: () => '/account',
};

function withNext(path: string, next?: string): string {
  return next && next !== '/' ? `${path}?${new URLSearchParams({ next })}` : path;
}

/** Where to go after a login: only a path of this shop, since the query string can be written by anybody. */
export function nextPath(search: URLSearchParams): string {
  const next = search.get('next') ?? '/';
  const base = 'https://shop.invalid';
  const url = URL.canParse(next, base) ? new URL(next, base) : undefined;
  return next.startsWith('/') && url?.origin === base ? `${url.pathname}${url.search}` : '/';
}

/** What the catalogue page shows, as its query string holds it. */
export interface Filters {
  q: string;
  category: string;
  inStock: boolean;
  /** Undefined is the default: relevance where something is searched for, else newest. */
  sort: Sort | undefined;
}

const SORTS: readonly Sort[] = ['relevance', 'newest', 'price', '-price', 'name'];

/** Reads the filters of a query string; what the API would refuse is left out. */
export function filtersFromSearch(search: URLSearchParams): Filters {
  const q = (search.get('q') ?? '').trim().slice(0, 200);
  const sort = SORTS.find((known) => known === search.get('sort'));
  return {
    q,
    category: (search.get('category') ?? '').slice(0, 60),
    inStock: search.get('in_stock') === 'true',
    sort: sort === 'relevance' && !q ? undefined : sort,
  };
}

/** Writes filters as a query string, without those that have their default. */
export function filtersToSearch(filters: Partial<Filters>): URLSearchParams {
  const search = new URLSearchParams();
  if (filters.q) search.set('q', filters.q);
  if (filters.category) search.set('category', filters.category);
  if (filters.inStock) search.set('in_stock', 'true');
  if (filters.sort) search.set('sort', filters.sort);
  return search;
}
