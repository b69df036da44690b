import { screen, waitFor } from '@testing-library/react';
import userEvent from '@testing-library/user-event';
import { expect, it, vi } from 'vitest';
import { ada, json, serve } from '@/test/api';
import { renderPart } from '@/test/render';
import { DeleteAccount } from './delete-account';
import { RequireLogin } from './require-login';

it('stays as it is until its page has gone, and leaves nothing behind', async () => {
  localStorage.setItem('shopmicro.session', '1');
  localStorage.setItem('shopmicro.recent', 'mug');
  sessionStorage.setItem('shopmicro.checkout.draft', 'York');
  const replace = vi.spyOn(location, 'replace').mockImplementation(() => {});
  serve({
    'GET /api/users/me': () => json(ada),
    'DELETE /api/users/me': () => new Response(null, { status: 204 }),
  });
  const router = renderPart(<RequireLogin>{() => <DeleteAccount />}</RequireLogin>, '/account');
  await userEvent.click(await screen.findByRole('button', { name: 'Delete account' }));
  await userEvent.type(screen.getByLabelText('Password'), 'correct horse battery');
  await userEvent.click(screen.getByRole('button', { name: 'Delete for good' }));
  await waitFor(() => expect(replace).toHaveBeenCalledWith('/'));
  expect({ ...localStorage, ...sessionStorage }).toEqual({});
  // Whatever follows from the answer has followed.
  await new Promise((resolve) => setTimeout(resolve, 50));
  expect(router.state.location.pathname).toBe('/account');
  for (const name of ['Deleting…', 'Keep it']) {
    expect(screen.getByRole<HTMLButtonElement>('button', { name }).disabled).toBe(true);
  }
});
