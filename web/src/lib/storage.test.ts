import { afterEach, expect, it, vi } from 'vitest';
import { deviceStorage, tabStorage } from './storage';

const full = () => {
  throw new DOMException('no room', 'QuotaExceededError');
};

afterEach(() => {
  vi.unstubAllGlobals();
  deviceStorage.clear();
  tabStorage.clear();
});

it('keeps values in the browser, where other tabs write too', () => {
  deviceStorage.set('a', '1');
  tabStorage.set('a', '2');
  expect([localStorage.getItem('a'), sessionStorage.getItem('a')]).toEqual(['1', '2']);
  localStorage.setItem('a', '3');
  expect(deviceStorage.get('a')).toBe('3');
  deviceStorage.remove('a');
  expect([deviceStorage.get('a'), tabStorage.get('a')]).toEqual([null, '2']);
  tabStorage.clear();
  expect(sessionStorage.length).toBe(0);
});

it('remembers what there is no room for as long as the page lives', () => {
  localStorage.setItem('a', 'old');
  vi.stubGlobal('localStorage', { getItem: () => 'old', setItem: full, removeItem: () => {} });
  deviceStorage.set('a', 'new');
  expect(deviceStorage.get('a')).toBe('new');
  deviceStorage.remove('a');
  expect(deviceStorage.get('a')).toBe('old');

  // With room again, the browser's value counts.
  deviceStorage.set('a', 'new');
  vi.unstubAllGlobals();
  deviceStorage.set('a', 'newest');
  localStorage.setItem('a', 'of another tab');
  expect(deviceStorage.get('a')).toBe('of another tab');
});

it('works where storage is forbidden altogether', () => {
  vi.stubGlobal('sessionStorage', { getItem: full, setItem: full, removeItem: full, clear: full });
  expect(tabStorage.get('a')).toBeNull();
  tabStorage.set('a', '1');
  tabStorage.set('b', '2');
  tabStorage.remove('b');
  expect([tabStorage.get('a'), tabStorage.get('b')]).toEqual(['1', null]);
  tabStorage.clear();
  expect(tabStorage.get('a')).toBeNull();
});
