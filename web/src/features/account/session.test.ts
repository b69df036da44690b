import { type QueryClient, QueryObserver } from '@tanstack/react-query';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { createQueryClient } from '@/lib/query';
import { request } from '@/lib/http';
import { ada, json, problem, serve } from '@/test/api';
import { doubtSession, enter, followSession, leave, meOptions } from './session';

const grace = { ...ada, id: '0190a0a0-0000-7000-8000-0000000000cc', name: 'Grace' };

const listeners: [string, EventListenerOrEventListenerObject][] = [];

beforeEach(() => {
  const add = window.addEventListener.bind(window);
  vi.stubGlobal('addEventListener', (event: string, listener: EventListenerOrEventListenerObject) => {
    listeners.push([event, listener]);
    add(event, listener);
  });
});

afterEach(() => {
  vi.unstubAllGlobals();
  for (const [event, listener] of listeners.splice(0)) removeEventListener(event, listener);
});

/** A tab in which a customer looked at an order and typed an address. */
async function atWork(user = ada) {
  const client = createQueryClient(doubtSession);
  followSession(client);
  await enter(client, user);
  client.setQueryData(['orders', 'list'], 'theirs');
  client.setQueryData(['cart'], 'theirs');
  sessionStorage.setItem('shopmicro.checkout.draft', 'York');
  localStorage.setItem('shopmicro.recent', 'mug');
  return client;
}

/** What is left of it. */
const left = (client: ReturnType<typeof createQueryClient>) => ({
  me: client.getQueryData(meOptions.queryKey)?.name,
  orders: client.getQueryData(['orders', 'list']),
  cart: client.getQueryData(['cart']),
  draft: sessionStorage.getItem('shopmicro.checkout.draft'),
  recent: localStorage.getItem('shopmicro.recent'),
});

const ended = { me: undefined, orders: undefined, cart: undefined, draft: 'York', recent: 'mug' };
const gone = { ...ended, draft: null, recent: null };

/** Something that is read of the API. */
const x = {
  queryKey: ['x'],
  queryFn: ({ signal }: { signal: AbortSignal }) => request('/api/x', { signal }),
};

/** Looks at what is read, as a page does; the shop's frame shows who is here. */
function watch(client: QueryClient) {
  const ends = [
    new QueryObserver(client, meOptions).subscribe(() => {}),
    new QueryObserver(client, x).subscribe(() => {}),
  ];
  return () => {
    for (const end of ends) end();
  };
}

/** Another tab writes: what it wrote is told later than the storage has it. */
function told(key: string | null, newValue: string | null) {
  dispatchEvent(Object.assign(new Event('storage'), { key, newValue }));
}

it('that ended by itself leaves what was typed to the same customer alone', async () => {
  serve({ 'GET /api/users/me': () => problem(401, 'unauthenticated') });
  const client = await atWork();
  await client.fetchQuery({ ...meOptions, staleTime: 0 });
  expect(left(client)).toEqual(ended);
  await enter(client, ada);
  expect(left(client)).toEqual({ ...ended, me: 'Ada' });

  await client.fetchQuery({ ...meOptions, staleTime: 0 });
  await enter(client, grace);
  expect(left(client)).toEqual({ ...gone, me: 'Grace' });
});

it('of another customer is found when the shop says who is here', async () => {
  serve({ 'GET /api/users/me': () => json(grace) });
  const client = await atWork();
  await client.fetchQuery({ ...meOptions, staleTime: 0 });
  expect(left(client)).toEqual({ ...gone, me: 'Grace' });
});

it('is not over where an answer was to the cookie before', async () => {
  const calls = serve({
    'GET /api/users/me': () => json(ada),
    'GET /api/x': () => problem(401, 'unauthenticated'),
  });
  const client = await atWork();
  // As the shop's frame does, which shows who is here.
  const stop = new QueryObserver(client, meOptions).subscribe(() => {});
  await expect(client.fetchQuery({ queryKey: ['x'], queryFn: () => request('/api/x') })).rejects.toThrow();
  await vi.waitFor(() => expect(calls.map(({ path }) => path)).toContain('/api/users/me'));
  await vi.waitFor(() => expect(client.isFetching()).toBe(0));
  expect(left(client)).toMatchObject({ me: 'Ada', orders: 'theirs' });
  stop();
});

it.each([
  ['once', 1],
  ['ever again', 9],
])('asks once more for what was refused to the cookie before, %s', async (_, refusals) => {
  const calls = serve({
    'GET /api/users/me': () => json(ada),
    'GET /api/x': () => (asked() > refusals ? json('theirs') : problem(401, 'unauthenticated')),
  });
  const asked = () => calls.filter(({ path }) => path === '/api/x').length;
  const client = await atWork();
  const stop = watch(client);
  await vi.waitFor(() => expect(asked()).toBe(2));
  await vi.waitFor(() => expect(client.isFetching()).toBe(0));
  // Whatever follows from the answers has followed.
  await new Promise((resolve) => setTimeout(resolve, 50));
  expect(asked()).toBe(2);
  expect(client.getQueryData(x.queryKey)).toBe(refusals === 1 ? 'theirs' : undefined);
  stop();
});

it.each([
  ['here', (client: QueryClient) => enter(client, grace)],
  ['in another tab', () => told('shopmicro.session', '1')],
])('that begins %s asks anew for what was on its way', async (_, begin) => {
  const calls = serve({
    'GET /api/users/me': () => json(grace),
    'GET /api/x': () => (asked() === 1 ? new Promise(() => {}) : json('theirs')),
  });
  const asked = () => calls.filter(({ path }) => path === '/api/x').length;
  const client = createQueryClient(doubtSession);
  followSession(client);
  const stop = watch(client);
  await vi.waitFor(() => expect(client.isFetching(x)).toBe(1));
  localStorage.setItem('shopmicro.session', '1');
  await begin(client);
  await vi.waitFor(() => expect(client.getQueryData(x.queryKey)).toBe('theirs'));
  stop();
});

it('begins whatever was asked before', async () => {
  let answer = (_: Response) => {};
  serve({
    'GET /api/users/me': () =>
      new Promise((resolve) => {
        answer = resolve;
      }),
  });
  localStorage.setItem('shopmicro.session', '1');
  const client = createQueryClient(doubtSession);
  void client.prefetchQuery(meOptions);
  await vi.waitFor(() => expect(client.isFetching()).toBe(1));
  await enter(client, ada);
  answer(problem(401, 'unauthenticated'));
  await new Promise((resolve) => setTimeout(resolve));
  expect(left(client).me).toBe('Ada');
  expect(localStorage.getItem('shopmicro.session')).toBe('1');
});

it('that another tab left is over, also where another has begun meanwhile', async () => {
  serve({ 'GET /api/users/me': () => json(grace) });
  const client = await atWork();
  localStorage.clear();
  localStorage.setItem('shopmicro.session', '1');
  told(null, null);
  expect(left(client)).toEqual(gone);
});

it('that another tab found ended keeps what was typed', async () => {
  const client = await atWork();
  localStorage.removeItem('shopmicro.session');
  told('shopmicro.session', null);
  expect(left(client)).toEqual(ended);
});

it('is asked for when the browser shows a page that it had put away', async () => {
  const client = await atWork();
  const back = (persisted: boolean) => dispatchEvent(Object.assign(new Event('pageshow'), { persisted }));
  localStorage.clear();
  back(false);
  expect(left(client).me).toBe('Ada');
  back(true);
  expect(left(client)).toMatchObject({ me: undefined, orders: undefined, cart: undefined });
});

it('leaves the next customer nothing to see that was looked at, in a tab of their own too', async () => {
  await atWork();
  sessionStorage.clear();
  const client = createQueryClient(doubtSession);
  await enter(client, grace);
  expect(left(client)).toEqual({ ...gone, me: 'Grace' });
});

it('of another customer is not shown by a page that slept while they came', async () => {
  serve({ 'GET /api/users/me': () => json(grace) });
  const client = await atWork();
  sessionStorage.setItem('shopmicro.owner', grace.id);
  dispatchEvent(Object.assign(new Event('pageshow'), { persisted: true }));
  expect(left(client)).toMatchObject({ me: undefined, orders: undefined, cart: undefined });
});

it('leaves nothing when its customer leaves', async () => {
  const client = await atWork();
  leave(client);
  expect(left(client)).toEqual(gone);
  expect({ ...sessionStorage, ...localStorage }).toEqual({});
});
