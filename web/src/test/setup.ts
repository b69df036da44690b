import { cleanup } from '@testing-library/react';
import { afterEach, beforeEach, expect, vi } from 'vitest';
import { unhandled } from './api';

beforeEach(() => {
  // No test reaches the network: what it does not expect fails it, also where the shop would swallow the error.
  vi.stubGlobal('fetch', unhandled.fetch);
});

afterEach(() => {
  cleanup();
  sessionStorage.clear();
  localStorage.clear();
  vi.useRealTimers();
  const calls = unhandled.take();
  expect(calls, 'calls of the API that the test did not handle').toEqual([]);
});
