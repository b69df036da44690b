import { describe, expect, it } from 'vitest';
import { nextPath } from './next-path';
import { urls } from './urls';

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
    '/.//evil.example',
  ])('never leaves the shop: %s', (next) => {
    expect(nextPath(new URLSearchParams({ next }))).toBe('/');
  });
});
