import { expect, it } from 'vitest';
import { templateOf } from './routes';

it('names every page by its template', () => {
  expect(['/', '/products', '/products/1', '/orders/2', '/nowhere', '/products/1/2'].map(templateOf)).toEqual(
    ['/', '/products', '/products/{id}', '/orders/{id}', '*', '*'],
  );
});
