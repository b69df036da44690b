import { describe, expect, it } from 'vitest';
import { filtersFromSearch, filtersToSearch, nextPath, urls } from './urls';

describe('filters', () => {
  it('survive the query string', () => {
    const filters = { q: 'red mug', category: 'Bath & Body', inStock: true, sort: '-price' as const };
    expect(filtersFromSearch(filtersToSearch(filters))).toEqual(filters);
  });

  it('leave out their defaults', () => {
    expect(urls.products({ q: '', category: '', inStock: false, sort: undefined })).toBe('/products');
  });

  it('never hold what the API refuses', () => {
    const filters = filtersFromSearch(
      new URLSearchParams({ sort: 'relevance', q: ' ', in_stock: 'perhaps' }),
    );
    expect(filters).toEqual({ q: '', category: '', inStock: false, sort: undefined });
    expect(filtersFromSearch(new URLSearchParams({ q: 'x'.repeat(500) })).q).toHaveLength(200);
    expect(filtersFromSearch(new URLSearchParams({ sort: 'random' })).sort).toBeUndefined();
  });
});

describe('the path after a login', () => {
  it('is kept', () => {
    expect(urls.login('/orders?a=b')).toBe('/login?next=%2Forders%3Fa%3Db');
    expect(nextPath(new URLSearchParams({ next: '/orders?a=b' }))).toBe('/orders?a=b');
    expect(nextPath(new URLSearchParams())).toBe('/');
  });

  it.each([
    'https://evil.example/',
    '//evil.example/x',
    '/\\evil.example',
    'javascript:alert(1)',
    '/\t/evil.example',
  ])('never leaves the shop: %s', (next) => {
    expect(nextPath(new URLSearchParams({ next }))).toBe('/');
  });
});
