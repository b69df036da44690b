import { afterEach, expect, test } from 'vitest';
import { traceparent } from '@/lib/trace';

const FORMAT = /^00-(?<trace>[0-9a-f]{32})-(?<span>[0-9a-f]{16})-01$/;

function ids() {
  const { trace, span } = FORMAT.exec(traceparent())?.groups ?? {};
  return { trace, span };
}

afterEach(() => history.replaceState(null, '', '/'));

test('one page is one trace, and each of its requests a span of its own', () => {
  const [first, second] = [ids(), ids()];
  expect(first.trace).toBeDefined();
  expect(second.trace).toBe(first.trace);
  expect(second.span).not.toBe(first.span);
});

test('another page is another trace', () => {
  const before = ids();
  history.pushState(null, '', '/products');
  expect(ids().trace).not.toBe(before.trace);
});
