import { randomHex } from '@/lib/random';

/** The address whose page the trace belongs to. */
let shown = '';
let traceId = '';
/** What the trace has asked for. */
const asked = new Set<string>();

/** True from when the visitor does something until something is asked for. */
let acted = false;
for (const event of ['click', 'keydown', 'input']) {
  addEventListener(
    event,
    () => {
      acted = true;
    },
    { capture: true, passive: true },
  );
}

/**
 * The W3C trace context of a request (https://www.w3.org/TR/trace-context/). What one page asks for is one trace, which leads
 * through nginx and the services to the database, and so is what follows from one click or key. Who asks for the same again,
 * as one who waits for news does, begins another.
 */
export function traceparent(request: string): string {
  if (acted || shown !== location.href || asked.has(request)) {
    acted = false;
    shown = location.href;
    traceId = randomHex(16);
    asked.clear();
  }
  asked.add(request);
  return `00-${traceId}-${randomHex(8)}-01`;
}
