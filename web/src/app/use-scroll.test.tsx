import { act, render } from '@testing-library/react';
import { createMemoryRouter, Outlet, RouterProvider } from 'react-router';
import { beforeEach, expect, it, vi } from 'vitest';
import { useScroll } from './use-scroll';

/** How far down the page can be, and is. */
let height = 0;
let at = 0;
/** What waits for the page to grow. */
let waiting: (() => void)[] = [];

beforeEach(() => {
  height = 1_000;
  at = 0;
  waiting = [];
  vi.spyOn(window, 'scrollY', 'get').mockImplementation(() => at);
  vi.stubGlobal('scrollTo', (_: number, wanted: number) => {
    at = Math.min(wanted, height);
    dispatchEvent(new Event('scroll'));
  });
  vi.stubGlobal(
    'ResizeObserver',
    class {
      constructor(private readonly grown: () => void) {}
      observe() {
        waiting.push(this.grown);
      }
      disconnect() {
        waiting = waiting.filter((known) => known !== this.grown);
      }
    },
  );
});

function start(hook = useScroll, path = '/list') {
  const Frame = () => {
    hook();
    return <Outlet />;
  };
  const router = createMemoryRouter([{ element: <Frame />, children: [{ path: '*', element: null }] }], {
    initialEntries: [path],
  });
  const { unmount } = render(<RouterProvider router={router} />);
  const go = (to: string | number, state?: unknown) =>
    act(async () => {
      await (typeof to === 'number' ? router.navigate(to) : router.navigate(to, { state }));
    });
  return { go, unmount };
}

/** The page is this long from now on. */
function grow(to: number) {
  height = to;
  for (const grown of [...waiting]) grown();
}

it('begins a page at its top, and goes back to where one was', async () => {
  const { go } = start();
  scrollTo(0, 700);
  await go('/product');
  expect(at).toBe(0);
  scrollTo(0, 300);
  await go(-1);
  expect(at).toBe(700);
  await go(1);
  expect(at).toBe(300);
});

it('stays where a link says so', async () => {
  const { go } = start();
  scrollTo(0, 700);
  await go('/list?sort=price', { stay: true });
  expect(at).toBe(700);
});

it('waits for the page to be long enough', async () => {
  const { go } = start();
  scrollTo(0, 700);
  await go('/product');
  height = 200;
  await go(-1);
  expect(at).toBe(200);
  grow(500);
  expect(at).toBe(500);
  grow(900);
  expect([at, waiting]).toEqual([700, []]);
});

it('leaves the wait to the visitor’s hand', async () => {
  const { go } = start();
  scrollTo(0, 700);
  await go('/product');
  height = 200;
  await go(-1);
  dispatchEvent(new Event('wheel'));
  grow(900);
  expect(at).toBe(200);
});

/** The script begins anew; the entry of the history has the key that it had, as the first one here always has. */
async function startAnew(type: string, path?: string) {
  at = 0;
  vi.spyOn(performance, 'getEntriesByType').mockReturnValue([{ type } as PerformanceNavigationTiming]);
  vi.resetModules();
  return start((await import('./use-scroll')).useScroll, path);
}

it.each([
  ['after a reload', 'reload', '/list', 400],
  ['back from another site', 'back_forward', '/list', 400],
  ['not where one goes anew', 'navigate', '/list', 0],
  ['not at another address', 'reload', '/product', 0],
])('is where one was %s', async (_, type, path, expected) => {
  const { unmount } = start();
  scrollTo(0, 400);
  dispatchEvent(new Event('pagehide'));
  unmount();
  await startAnew(type, path);
  expect(at).toBe(expected);
});
