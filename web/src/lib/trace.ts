/** The address whose page the trace belongs to. */
let shown = '';
let traceId = '';

function hex(bytes: number): string {
  const random = crypto.getRandomValues(new Uint8Array(bytes));
  return Array.from(random, (byte) => byte.toString(16).padStart(2, '0')).join('');
}

/**
 * The W3C trace context of a request (https://www.w3.org/TR/trace-context/): what one page asks for is one trace, which
 * leads through nginx and the services to the database.
 */
export function traceparent(): string {
  if (shown !== location.href) {
    shown = location.href;
    traceId = hex(16);
  }
  return `00-${traceId}-${hex(8)}-01`;
}
