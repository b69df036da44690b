import { useQueryClient } from '@tanstack/react-query';
import { screen, waitFor } from '@testing-library/react';
import userEvent from '@testing-library/user-event';
import { expect, it } from 'vitest';
import type { User } from '@/api/schema';
import { ada, json, serve } from '@/test/api';
import { renderPart } from '@/test/render';
import { UserList } from './user-list';

const bob = (role: User['role']): User => ({
  ...ada,
  id: '00000000-0000-4000-8000-00000000000b',
  name: 'Bob',
  email: 'bob@example.com',
  role,
});
const page = (user: User) => json({ items: [user], next_cursor: null });
const press = (name: RegExp | string) => userEvent.click(screen.getByRole('button', { name }));

/** The list, a field to go on to, and a way to have it read anew. */
function Page() {
  const client = useQueryClient();
  return (
    <>
      <input aria-label="Search" />
      <button type="button" onClick={() => client.invalidateQueries()}>
        Read
      </button>
      <UserList q="" me={ada} />
    </>
  );
}

it('does what was asked for, though somebody else has changed the role meanwhile', async () => {
  let role: User['role'] = 'customer';
  const calls = serve({
    'GET /api/users': () => page(bob(role)),
    [`PATCH /api/users/${bob(role).id}`]: () => json(bob('admin')),
  });
  renderPart(<Page />);
  await userEvent.click(await screen.findByRole('button', { name: /^Change the role of Bob/ }));
  role = 'admin';
  const reads = calls.length;
  await press('Read');
  await waitFor(() => expect(calls.length).toBeGreaterThan(reads));
  await press('Make admin');
  await screen.findByRole('button', { name: /^Change/ });
  expect(calls.filter(({ method }) => method === 'PATCH').map(({ body }) => body)).toEqual([
    { role: 'admin' },
  ]);
});

it('shows the new role at once, and calls nobody back who has gone on', async () => {
  let answer = () => {};
  const answered = new Promise<void>((resolve) => {
    answer = resolve;
  });
  let reads = 0;
  serve({
    // The list is not read a second time, as in an outage.
    'GET /api/users': () => {
      reads += 1;
      return reads === 1 ? page(bob('customer')) : new Promise<Response>(() => {});
    },
    [`PATCH /api/users/${bob('customer').id}`]: async () => {
      await answered;
      return json(bob('admin'));
    },
  });
  renderPart(<Page />);
  await userEvent.click(await screen.findByRole('button', { name: /^Change the role of Bob/ }));
  await press('Make admin');
  const search = screen.getByLabelText('Search');
  search.focus();
  answer();
  await screen.findByRole('button', { name: /^Change/ });
  screen.getByRole('cell', { name: /^Admin/ });
  expect(document.activeElement).toBe(search);
});
