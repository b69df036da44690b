import { type MetricType, onCLS, onFCP, onINP, onLCP, onTTFB } from 'web-vitals';
import { REPORTS, type Span, type Telemetry } from './telemetry';

/** Measures a page from its start on: its vitals, its load and its calls of the API. */
export function measure(telemetry: Telemetry): void {
  const report = (metric: MetricType) =>
    telemetry.vital(metric.name, metric.value, metric.navigationURL ?? location.href);
  for (const on of [onCLS, onFCP, onINP, onLCP, onTTFB]) on(report);
  const observer = new PerformanceObserver((list) => {
    for (const entry of list.getEntries()) {
      const name = spanOf(entry);
      // Whoever loaded the page may have gone on within the shop.
      const url = name === 'page_load' ? entry.name : location.href;
      if (name) telemetry.span(name, entry.duration, url);
    }
  });
  for (const type of ['navigation', 'resource']) observer.observe({ type, buffered: true });
}

/** The span that the browser's record of a load or a request is, where it is one of ours. */
export function spanOf(entry: PerformanceEntry): Span['name'] | undefined {
  if (entry.entryType === 'navigation') return 'page_load';
  const path = new URL(entry.name, location.href).pathname;
  const asked = 'initiatorType' in entry && entry.initiatorType === 'fetch';
  return asked && path.startsWith('/api/') && path !== REPORTS ? 'api_call' : undefined;
}
