import { beforeEach, expect, it, vi } from 'vitest';
import { serve } from '@/test/api';
import { measure } from './measure';
import { MEASURED, Telemetry, watchPage } from './telemetry';

vi.mock('./measure', () => ({ measure: vi.fn() }));

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

it.each([
  ['one page load in five', 0, ['LCP']],
  ['no other', MEASURED, []],
])('measures %s, and tells of the errors of all', async (_, drawn, wanted) => {
  vi.spyOn(Math, 'random').mockReturnValue(drawn);
  vi.mocked(measure).mockImplementation((telemetry) => telemetry.vital('LCP', 1));
  const calls = serve({ 'POST /api/frontend-metrics': accepted });
  // What listens to the window would still listen in the next test.
  const listen = vi.spyOn(globalThis, 'addEventListener').mockImplementation(() => {});
  watchPage(new Telemetry(templateOf));
  const heard = listen.mock.calls.find(([type]) => type === 'error')?.[1] as (event: ErrorEvent) => void;
  await vi.advanceTimersByTimeAsync(2_000);
  await vi.dynamicImportSettled();
  heard(new ErrorEvent('error', { error: new TypeError('x') }));
  await vi.advanceTimersByTimeAsync(5_000);
  const report = calls[0]?.body as { metrics: { name: string }[]; errors: unknown[] };
  expect(report.metrics.map(({ name }) => name)).toEqual(wanted);
  expect(report.errors).toHaveLength(1);
});
