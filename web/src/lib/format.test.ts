import { expect, it, vi } from 'vitest';
import { count, countryName, date, dateTime, money, number, orderNumber } from './format';

it('writes money by its currency', () => {
  expect(money(1250, 'GBP')).toBe('£12.50');
  expect(money(123456, 'EUR')).toBe('€1,234.56');
  // Yen have no smaller unit: the minor unit is the yen itself.
  expect(money(500, 'JPY')).toBe('JP¥500');
});

it('writes moments', () => {
  expect(date('2026-03-03T23:59:59Z')).toBe('3 March 2026');
  expect(dateTime('2026-03-03T14:05:00Z')).toBe('3 March 2026 at 14:05');
});

it('writes numbers, also with their noun', () => {
  expect([number(7), number(1234567), number(12.5)]).toEqual(['7', '1,234,567', '12.5']);
  expect([count(0, 'item'), count(1, 'item'), count(4000, 'item')]).toEqual([
    '0 items',
    '1 item',
    '4,000 items',
  ]);
  expect(count(2, 'is', 'are')).toBe('2 are');
});

it('shortens an order id and names a country', () => {
  expect(orderNumber('0190a0a0-0000-7000-8000-00000000beef')).toBe('0000BEEF');
  expect(countryName('GB')).toBe('United Kingdom');
});

it('writes a day as that day, also west of Greenwich', async () => {
  vi.stubEnv('TZ', 'America/New_York');
  vi.resetModules();
  const west = await import('./format');
  expect(west.date('2026-03-03')).toBe('2 March 2026');
  expect(west.calendarDay('2026-03-03')).toBe('3 March 2026');
  vi.unstubAllEnvs();
});
