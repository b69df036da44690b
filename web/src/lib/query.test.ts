import { expect, it } from 'vitest';
import { ProblemError } from './http';
import { retryDelay } from './query';

it('waits longer each time, up to ten seconds', () => {
  expect([0, 1, 2, 10].map((attempt) => retryDelay(attempt, new Error('x')))).toEqual([
    500, 1000, 2000, 10_000,
  ]);
});

it('waits as long as the server asks', () => {
  const busy = new ProblemError({ type: 'x/unavailable', title: 'x', status: 503 }, 5000);
  expect(retryDelay(0, busy)).toBe(5000);
  expect(retryDelay(5, busy)).toBe(10_000);
});
