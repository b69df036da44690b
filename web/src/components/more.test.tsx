import { useInfiniteQuery } from '@tanstack/react-query';
import { screen, waitFor } from '@testing-library/react';
import userEvent from '@testing-library/user-event';
import { useRef } from 'react';
import { expect, it } from 'vitest';
import { request } from '@/lib/http';
import { json, problem, serve } from '@/test/api';
import { renderPart } from '@/test/render';
import { More } from './more';

interface Page {
  items: string[];
  next?: number;
}

function Example() {
  const lines = useRef<HTMLUListElement>(null);
  const list = useInfiniteQuery({
    queryKey: ['x'],
    queryFn: ({ pageParam }) => request<Page>(`/api/x?page=${pageParam}`),
    initialPageParam: 1,
    getNextPageParam: (page) => page.next,
    select: ({ pages }) => pages.flatMap((page) => page.items),
  });
  return (
    <>
      <ul ref={lines}>
        {list.data?.map((line) => (
          <li key={line}>{line.endsWith('plain') ? line : <a href="/">{line}</a>}</li>
        ))}
      </ul>
      <More list={list} lines={lines} />
      <button type="button">Elsewhere</button>
    </>
  );
}

const load = () => userEvent.click(screen.getByRole('button', { name: 'Load more' }));
const focused = () => document.activeElement?.textContent;

it('leads on to the first line that came and has something to press', async () => {
  serve({
    'GET /api/x': ({ path }) =>
      json(path.endsWith('1') ? { items: ['one', 'two'], next: 2 } : { items: ['three plain', 'four'] }),
  });
  renderPart(<Example />);
  await screen.findByText('one');
  await load();
  await screen.findByText('four');
  await waitFor(() => expect(focused()).toBe('four'));
});

it('calls nobody back who has gone on, and says where nothing came', async () => {
  let answer = (_: Response) => {};
  serve({
    'GET /api/x': ({ path }) =>
      path.endsWith('1')
        ? json({ items: ['one'], next: 2 })
        : new Promise((resolve) => {
            answer = resolve;
          }),
  });
  renderPart(<Example />);
  await screen.findByText('one');
  await load();
  answer(problem(400, 'bad-request', { title: 'No such page' }));
  await screen.findByText('No such page.');
  await load();
  screen.getByRole('button', { name: 'Elsewhere' }).focus();
  answer(json({ items: ['two'] }));
  await screen.findByText('two');
  expect(focused()).toBe('Elsewhere');
});
