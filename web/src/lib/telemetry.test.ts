import { beforeEach, expect, it, vi } from 'vitest';
import { serve } from '@/test/api';
import { spanOf, Telemetry } from './telemetry';

const templateOf = (pathname: string) => (pathname === '/' ? '/' : '/products/{id}');
const accepted = () => new Response(null, { status: 202 });

beforeEach(() => {
  vi.useFakeTimers();
});

it('sends what it collected in one report, by route template', () => {
  const calls = serve({ 'POST /api/frontend-metrics': accepted });
  const telemetry = new Telemetry(templateOf);
  telemetry.vital('LCP', 1200, 'http://localhost:3000/products/0190a0a0');
  telemetry.vital('CLS', Number.NaN);
  telemetry.error(new TypeError('x is not a function'));
  telemetry.error(new TypeError('x is not a function'));
  telemetry.span('api_call', 12.5);
  telemetry.span('api_call', Number.NaN);
  expect(calls).toHaveLength(0);
  vi.advanceTimersByTime(5_000);
  expect(calls.map((call) => call.body)).toEqual([
    {
      metrics: [{ name: 'LCP', value: 1200, page: '/products/{id}' }],
      errors: [{ message: 'TypeError: x is not a function', page: '/' }],
      traces: [{ name: 'api_call', duration_ms: 12.5, page: '/' }],
    },
  ]);
  vi.advanceTimersByTime(60_000);
  expect(calls).toHaveLength(1);
});

it('stays within what the API takes', () => {
  const calls = serve({ 'POST /api/frontend-metrics': accepted });
  const telemetry = new Telemetry(templateOf);
  for (let n = 0; n < 50; n += 1) {
    telemetry.vital('INP', n);
    telemetry.span('navigation', n);
    telemetry.error(new Error(`${n} ${'long '.repeat(200)}`));
  }
  telemetry.flush();
  const report = calls[0]?.body as { metrics: unknown[]; errors: { message: string }[]; traces: unknown[] };
  expect([report.metrics.length, report.errors.length, report.traces.length]).toEqual([20, 20, 20]);
  expect(report.errors.every((error) => error.message.length <= 300)).toBe(true);
});

it('is silent when a report fails', async () => {
  serve({
    'POST /api/frontend-metrics': () => {
      throw new TypeError('Failed to fetch');
    },
  });
  const telemetry = new Telemetry(templateOf);
  telemetry.vital('FCP', 1);
  telemetry.flush();
  await vi.runAllTimersAsync();
});

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
