import { expect, it } from 'vitest';
import { templateOf } from './routes';

it('names every page by its template', () => {
  const paths = [
    '/',
    '/products',
    '/products/1',
    '/orders/2',
    '/admin',
    '/admin/orders/3',
    '/nowhere',
    '/products/1/2',
  ];
  expect(paths.map(templateOf)).toEqual([
    '/',
    '/products',
    '/products/{id}',
    '/orders/{id}',
    '/admin',
    '/admin',
    '*',
    '*',
  ]);
});
