import { expect, it, vi } from 'vitest';
import { pageScript } from './script';

it('waits for the script of a page, but not without a word', async () => {
  vi.useFakeTimers();
  let arrive = (_: string) => {};
  const script = new Promise<string>((resolve) => {
    arrive = resolve;
  });
  const first = pageScript(() => script);
  const late = expect(first).rejects.toThrow('the script of a page is late');
  await vi.advanceTimersByTimeAsync(15_000);
  await late;
  const second = pageScript(() => script);
  arrive('page');
  expect(await second).toBe('page');
  expect(vi.getTimerCount()).toBe(0);
});
