import { expect, it } from 'vitest';
import { spanOf } from './measure';

it('tells loads and calls of the API from all else that a page fetches', () => {
  const entry = (entryType: string, name: string, initiatorType: string) =>
    ({ entryType, name, initiatorType }) as unknown as PerformanceEntry;
  const origin = location.origin;
  expect(spanOf(entry('navigation', `${origin}/cart`, 'navigation'))).toBe('page_load');
  expect(spanOf(entry('resource', `${origin}/api/cart`, 'fetch'))).toBe('api_call');
  expect(spanOf(entry('resource', `${origin}/api/frontend-metrics`, 'fetch'))).toBeUndefined();
  expect(spanOf(entry('resource', `${origin}/api/products/1/picture.svg`, 'img'))).toBeUndefined();
  expect(spanOf(entry('resource', `${origin}/assets/app.js`, 'script'))).toBeUndefined();
});
