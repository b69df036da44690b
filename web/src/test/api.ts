import { vi } from 'vitest';
import type { Cart, Facets, Order, Product, User } from '@/api/schema';

/** A call of the API as a test sees it. */
export interface Call {
  method: string;
  path: string;
  body: unknown;
  headers: Headers;
}

type Handler = (call: Call) => Response | Promise<Response>;

const seen: string[] = [];

/** Calls that no handler took. */
export const unhandled = {
  fetch: async (input: RequestInfo | URL, init?: RequestInit): Promise<Response> => {
    const call = `${init?.method ?? 'GET'} ${String(input)}`;
    seen.push(call);
    throw new TypeError(`not handled: ${call}`);
  },
  take: (): string[] => seen.splice(0),
};

/** Answers the API's calls by `METHOD /path` (without the query), and returns the calls as they come. */
export function serve(handlers: Record<string, Handler>): Call[] {
  const calls: Call[] = [];
  vi.stubGlobal('fetch', async (input: RequestInfo | URL, init: RequestInit = {}) => {
    const method = init.method ?? 'GET';
    const path = String(input);
    const handler = handlers[`${method} ${path.split('?')[0]}`];
    if (!handler) return unhandled.fetch(input, init);
    const body = typeof init.body === 'string' ? JSON.parse(init.body) : undefined;
    const call = { method, path, body, headers: new Headers(init.headers) };
    calls.push(call);
    return handler(call);
  });
  return calls;
}

export function json(body: unknown, status = 200): Response {
  return new Response(JSON.stringify(body), { status, headers: { 'Content-Type': 'application/json' } });
}

export function problem(
  status: number,
  slug: string,
  extra: Record<string, unknown> = {},
  headers: Record<string, string> = {},
): Response {
  const body = { type: `https://shopmicro.example/problems/${slug}`, title: slug, status, ...extra };
  return new Response(JSON.stringify(body), {
    status,
    headers: { 'Content-Type': 'application/problem+json', ...headers },
  });
}

export function product(change: Partial<Product> = {}): Product {
  return {
    id: '0190a0a0-0000-7000-8000-000000000001',
    sku: 'SM-1',
    name: 'Stoneware mug',
    description: 'For tea.',
    category: 'Kitchen',
    tags: ['mug'],
    price_cents: 1250,
    currency: 'GBP',
    stock: 10,
    version: 1,
    image_url: '/api/products/0190a0a0-0000-7000-8000-000000000001/picture.svg',
    created_at: '2026-01-02T03:04:05Z',
    updated_at: '2026-01-02T03:04:05Z',
    ...change,
  };
}

/** Each line a product, a quantity and, where it was another, the price when it was put in. */
export function cart(items: [Product, number, number?][]): Cart {
  const lines = items.map(([product, quantity, added_price_cents = product.price_cents]) => ({
    product,
    quantity,
    line_total_cents: quantity * product.price_cents,
    added_price_cents,
  }));
  return {
    items: lines,
    total_cents: lines.reduce((sum, line) => sum + line.line_total_cents, 0),
    currency: 'GBP',
    item_count: lines.reduce((sum, line) => sum + line.quantity, 0),
  };
}

export function facets(change: Partial<Facets> = {}): Facets {
  return {
    total: { value: 1, exact: true },
    categories: { items: [{ value: 'Kitchen', count: 1 }], exact: true },
    prices: { items: [{ min_price_cents: 0, max_price_cents: 1999, count: 1 }], exact: true },
    in_stock: { value: 1, exact: true },
    tags: { items: [{ value: 'mug', count: 1 }], exact: true },
    ...change,
  };
}

export function order(change: Partial<Order> = {}): Order {
  return {
    id: '0190a0a0-0000-7000-8000-0000000000aa',
    status: 'paid',
    items: [],
    total_cents: 1250,
    currency: 'GBP',
    shipping_address: null,
    created_at: '2026-01-02T03:04:05Z',
    ...change,
  };
}

export const ada: User = {
  id: '0190a0a0-0000-7000-8000-0000000000bb',
  email: 'ada@example.com',
  name: 'Ada',
  role: 'customer',
  created_at: '2026-01-02T03:04:05Z',
};
