import { afterEach, expect, test } from 'vitest';
import { traceparent } from '@/lib/trace';

const FORMAT = /^00-(?<trace>[0-9a-f]{32})-(?<span>[0-9a-f]{16})-01$/;

function ids(request: string) {
  const { trace, span } = FORMAT.exec(traceparent(request))?.groups ?? {};
  return { trace, span };
}

afterEach(() => history.replaceState(null, '', '/'));

test('one page is one trace, and each of its requests a span of its own', () => {
  const [first, second] = [ids('GET /a'), ids('GET /b')];
  expect(first.trace).toBeDefined();
  expect(second.trace).toBe(first.trace);
  expect(second.span).not.toBe(first.span);
});

test('another page is another trace', () => {
  const before = ids('GET /c');
  history.pushState(null, '', '/products');
  expect(ids('GET /d').trace).not.toBe(before.trace);
});

test('what the visitor does is another trace, with all that follows from it', () => {
  history.pushState(null, '', '/cart');
  const page = ids('GET /e').trace;
  const traces = [page];
  const button = document.body.appendChild(document.createElement('button'));
  for (const event of [new MouseEvent('click'), new KeyboardEvent('keydown'), new InputEvent('input')]) {
    // Whatever the page itself makes of it.
    button.addEventListener(event.type, (heard) => heard.stopPropagation());
    button.dispatchEvent(event);
    const trace = ids('GET /e').trace;
    expect(ids('PUT /e').trace).toBe(trace);
    traces.push(trace);
  }
  button.remove();
  expect(new Set(traces).size).toBe(4);
});

test('who asks for the same again begins another trace', () => {
  history.pushState(null, '', '/orders/1');
  const polls = [1, 2, 3].map(() => ids('GET /order').trace);
  expect(new Set(polls).size).toBe(3);
  expect(ids('GET /cart').trace).toBe(polls[2]);
});
