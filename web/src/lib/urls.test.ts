import { describe, expect, it } from 'vitest';
import { filtersFromSearch, filtersToSearch, urls } from './urls';

const none = {
  q: '',
  category: '',
  tags: [],
  minPriceCents: undefined,
  maxPriceCents: undefined,
  inStock: false,
  sort: undefined,
};

describe('filters', () => {
  it('survive the query string', () => {
    const filters = {
      q: 'red mug',
      category: 'Bath & Body',
      tags: ['gift', 'a b'],
      minPriceCents: 0,
      maxPriceCents: 1999,
      inStock: true,
      sort: '-price' as const,
    };
    expect(filtersFromSearch(filtersToSearch(filters))).toEqual(filters);
  });

  it('leave out their defaults', () => {
    expect(urls.products(none)).toBe('/products');
  });

  it('never hold what the API refuses', () => {
    const read = (search: Record<string, string>) => filtersFromSearch(new URLSearchParams(search));
    expect(read({ sort: 'relevance', q: ' ', in_stock: 'perhaps' })).toEqual(none);
    expect(read({ min_price_cents: '-1', max_price_cents: '1e3', tag: ',,' })).toEqual(none);
    expect(read({ min_price_cents: '200', max_price_cents: '100' })).toEqual(none);
    expect(read({ tag: 'a,b,a,c,d,e,f' }).tags).toEqual(['a', 'b', 'c', 'd', 'e']);
    expect(read({ q: 'x'.repeat(500) }).q).toHaveLength(200);
    expect(read({ sort: 'random' }).sort).toBeUndefined();
  });
});
