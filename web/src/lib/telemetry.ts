import type { SpanReport } from '@/api/schema';
import type { MetricType } from 'web-vitals';

/** A page's route template, as the API names it. */
export type Page = SpanReport['page'];

interface Vital {
  name: MetricType['name'];
  value: number;
  page: Page;
}

interface PageError {
  message: string;
  page: Page;
}

/** Something that took time, as the page saw it. */
export type Span = Omit<SpanReport, 'trace_id'>;

export const REPORTS = '/api/frontend-metrics';
/** What one report may hold; the API refuses more. */
const MAX_ENTRIES = 20;
const MAX_MESSAGE = 300;
/** Long enough that the vitals of a page's start travel together. */
const BATCH_MS = 5_000;
/** By then a page has what it needs itself. */
const MEASURE_MS = 2_000;
/**
 * The share of page loads that are measured: enough for percentiles, as with traces, of which Alloy keeps the same share. All
 * others send nothing but their errors.
 */
export const MEASURED = 0.2;

/** Collects measurements and errors, and sends them in batches. Losing some is fine; disturbing the shop is not. */
export class Telemetry {
  private vitals: Vital[] = [];
  private errors: PageError[] = [];
  private spans: Span[] = [];
  private timer: ReturnType<typeof setTimeout> | undefined;
  private readonly pageOf: (pathname: string) => Page;

  /** `pageOf` gives the route template of a path, so that ids never become labels. */
  constructor(pageOf: (pathname: string) => Page) {
    this.pageOf = pageOf;
  }

  vital(name: Vital['name'], value: number, url: string = location.href): void {
    if (!Number.isFinite(value) || this.vitals.length >= MAX_ENTRIES) return;
    this.vitals.push({ name, value, page: this.pageOf(new URL(url, location.href).pathname) });
    this.schedule();
  }

  error(error: unknown): void {
    if (this.errors.length >= MAX_ENTRIES) return;
    const message = (error instanceof Error ? `${error.name}: ${error.message}` : String(error)).slice(
      0,
      MAX_MESSAGE,
    );
    const page = this.pageOf(location.pathname);
    // One broken render can throw the same error many times.
    if (this.errors.some((known) => known.message === message && known.page === page)) return;
    this.errors.push({ message, page });
    this.schedule();
  }

  span(name: Span['name'], durationMs: number, url: string = location.href): void {
    if (!Number.isFinite(durationMs) || durationMs < 0 || this.spans.length >= MAX_ENTRIES) return;
    this.spans.push({
      name,
      duration_ms: durationMs,
      page: this.pageOf(new URL(url, location.href).pathname),
    });
    this.schedule();
  }

  flush(): void {
    clearTimeout(this.timer);
    this.timer = undefined;
    if (this.vitals.length + this.errors.length + this.spans.length === 0) return;
    const body = JSON.stringify({ metrics: this.vitals, errors: this.errors, traces: this.spans });
    this.vitals = [];
    this.errors = [];
    this.spans = [];
    // Keepalive lets the request outlive the page, as a beacon does, with a content type that the API accepts.
    fetch(REPORTS, {
      method: 'POST',
      headers: { 'Content-Type': 'application/json' },
      body,
      keepalive: true,
    }).catch(() => {
      // A report that fails must not make another.
    });
  }

  private schedule(): void {
    if (document.visibilityState === 'hidden') {
      // The page may never run again; a microtask still lets the vitals of one event join.
      queueMicrotask(() => this.flush());
      return;
    }
    this.timer ??= setTimeout(() => this.flush(), BATCH_MS);
  }
}

/** Watches the page: what nobody catches, its end and, where it is among those that are measured, its measurements. */
export function watchPage(telemetry: Telemetry): void {
  addEventListener('error', (event) => telemetry.error(event.error ?? event.message));
  addEventListener('unhandledrejection', (event) => telemetry.error(event.reason));
  addEventListener('visibilitychange', () => {
    if (document.visibilityState === 'hidden') telemetry.flush();
  });
  addEventListener('pagehide', () => telemetry.flush());
  if (Math.random() >= MEASURED) return;
  // The browser keeps what it measures from the start: what reads it need not come before the page.
  setTimeout(() => {
    void import('./measure').then(
      ({ measure }) => measure(telemetry),
      () => {
        // A page without measurements is a page all the same.
      },
    );
  }, MEASURE_MS);
}
