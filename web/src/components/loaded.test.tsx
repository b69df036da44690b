import { keepPreviousData, useQuery } from '@tanstack/react-query';
import { act, screen, waitFor } from '@testing-library/react';
import { useState } from 'react';
import { expect, it, vi } from 'vitest';
import { request } from '@/lib/http';
import { json, problem, serve } from '@/test/api';
import { renderPart } from '@/test/render';
import { Loaded } from './loaded';

function Example() {
  const query = useQuery({ queryKey: ['x'], queryFn: () => request<{ name: string }>('/api/x') });
  return (
    <Loaded query={query} heading="Example" loading={<p>coming</p>}>
      {(data) => <p>{data.name}</p>}
    </Loaded>
  );
}

it('tells of a shop that is away, and recovers by itself', async () => {
  vi.useFakeTimers({ shouldAdvanceTime: true });
  let away = true;
  serve({ 'GET /api/x': () => (away ? problem(503, 'unavailable') : json({ name: 'here again' })) });
  renderPart(<Example />);
  screen.getByText('coming');
  await vi.advanceTimersByTimeAsync(2_000);
  await screen.findByText(/catching its breath/);
  screen.getByRole('heading', { level: 1, name: 'Example' });
  away = false;
  await vi.advanceTimersByTimeAsync(10_000);
  await screen.findByText('here again');
  expect(screen.queryByRole('heading')).toBeNull();
});

it('does not repeat what will be refused again', async () => {
  const calls = serve({ 'GET /api/x': () => problem(403, 'forbidden', { title: 'This is not allowed' }) });
  renderPart(<Example />);
  await waitFor(() => expect(screen.getByRole('alert').textContent).toContain('This is not allowed'));
  expect(calls).toHaveLength(1);
});

it('tells of a shop that is away above what was there before', async () => {
  vi.useFakeTimers({ shouldAdvanceTime: true });
  let away = false;
  serve({
    'GET /api/x': ({ path }) => (away ? problem(503, 'unavailable') : json({ name: path.slice(-3) })),
  });
  function Filtered() {
    const [which, choose] = useState('one');
    const query = useQuery({
      queryKey: ['x', which],
      queryFn: () => request<{ name: string }>(`/api/x?${which}`),
      placeholderData: keepPreviousData,
    });
    return (
      <>
        <button type="button" onClick={() => choose('two')}>
          Two
        </button>
        <Loaded query={query} loading={<p>coming</p>}>
          {(data) => <p>{data.name}</p>}
        </Loaded>
      </>
    );
  }
  renderPart(<Filtered />);
  await screen.findByText('one');
  away = true;
  act(() => screen.getByRole('button').click());
  expect(screen.queryByText(/catching its breath/)).toBeNull();
  await vi.advanceTimersByTimeAsync(2_000);
  await screen.findByText(/catching its breath/);
  screen.getByText('one');
  away = false;
  await vi.advanceTimersByTimeAsync(10_000);
  await screen.findByText('two');
  expect(screen.queryByText(/catching its breath/)).toBeNull();
});
