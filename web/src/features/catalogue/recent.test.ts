import { expect, it } from 'vitest';
import { keepRecent, recentIds } from './recent';

const id = (n: number) => `0190a0a0-0000-7000-8000-${String(n).padStart(12, '0')}`;

it('has nothing at first', () => {
  expect(recentIds()).toEqual([]);
});

it('has the newest first, each once', () => {
  for (const n of [1, 2, 3, 1]) keepRecent(id(n));
  expect(recentIds()).toEqual([id(1), id(3), id(2)]);
});

it('forgets what was looked at long ago', () => {
  for (let n = 1; n <= 12; n += 1) keepRecent(id(n));
  expect(recentIds()).toEqual([12, 11, 10, 9, 8, 7, 6, 5, 4].map(id));
});

it('leaves out what is no id', () => {
  localStorage.setItem('shopmicro.recent', `["x"] ${id(1)}  ../me ${id(2)}`);
  expect(recentIds()).toEqual([id(1), id(2)]);
  keepRecent(id(3));
  expect(localStorage.getItem('shopmicro.recent')).toBe([id(3), id(1), id(2)].join(' '));
});
