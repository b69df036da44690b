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
  admin: () => '/admin',
  adminProducts: (q = '') => (q ? `/admin/products?${new URLSearchParams({ q })}` : '/admin/products'),
  adminProduct: (id: string) => `/admin/products/${encodeURIComponent(id)}`,
  adminNewProduct: () => '/admin/products/new',
  adminArchived: () => '/admin/products/archived',
  adminImport: () => '/admin/products/import',
  adminOrders: (status = '') =>
    status ? `/admin/orders?${new URLSearchParams({ status })}` : '/admin/orders',
  adminOrder: (id: string) => `/admin/orders/${encodeURIComponent(id)}`,
  adminUsers: (q = '') => (q ? `/admin/users?${new URLSearchParams({ q })}` : '/admin/users'),
  adminModel: () => '/admin/model',
};

function withNext(path: string, next?: string): string {
  return next && next !== '/' ? `${path}?${new URLSearchParams({ next })}` : path;
}

/** What the catalogue page shows, as its query string holds it. */
export interface Filters {
  q: string;
  category: string;
  /** A product has all of them. */
  tags: string[];
  minPriceCents: number | undefined;
  maxPriceCents: number | undefined;
  inStock: boolean;
  /** Undefined is the default: relevance where something is searched for, else newest. */
  sort: Sort | undefined;
}

const SORTS: readonly Sort[] = ['relevance', 'newest', 'price', '-price', 'name'];
/** The API takes no more tags at once. */
export const MAX_TAGS = 5;

/** Reads the filters of a query string; what the API would refuse is left out. */
export function filtersFromSearch(search: URLSearchParams): Filters {
  const q = (search.get('q') ?? '').trim().slice(0, 200);
  const sort = SORTS.find((known) => known === search.get('sort'));
  const tags = (search.get('tag') ?? '').split(',').filter((tag) => tag.trim() && tag.length <= 60);
  const minPriceCents = price(search.get('min_price_cents'));
  const maxPriceCents = price(search.get('max_price_cents'));
  const inOrder =
    minPriceCents === undefined || maxPriceCents === undefined || minPriceCents <= maxPriceCents;
  return {
    q,
    category: (search.get('category') ?? '').slice(0, 60),
    tags: [...new Set(tags)].slice(0, MAX_TAGS),
    minPriceCents: inOrder ? minPriceCents : undefined,
    maxPriceCents: inOrder ? maxPriceCents : undefined,
    inStock: search.get('in_stock') === 'true',
    sort: sort === 'relevance' && !q ? undefined : sort,
  };
}

function price(text: string | null): number | undefined {
  return text && /^\d{1,9}$/.test(text) ? Number(text) : undefined;
}

/** The parameters of a list of products, as both the shop's addresses and the API name them. */
export function filterParameters(filters: Partial<Filters>) {
  return {
    q: filters.q,
    category: filters.category,
    tag: filters.tags?.join(','),
    min_price_cents: filters.minPriceCents,
    max_price_cents: filters.maxPriceCents,
    in_stock: filters.inStock || undefined,
    sort: filters.sort,
  };
}

/** Writes filters as a query string, without those that have their default. */
export function filtersToSearch(filters: Partial<Filters>): URLSearchParams {
  const search = new URLSearchParams();
  for (const [name, value] of Object.entries(filterParameters(filters))) {
    if (value !== undefined && value !== '') search.set(name, String(value));
  }
  return search;
}
