import { screen } from '@testing-library/react';
import userEvent from '@testing-library/user-event';
import { it } from 'vitest';
import { ada, json, serve } from '@/test/api';
import { renderPart } from '@/test/render';
import { Password } from './password';
import { RequireLogin } from './require-login';
import { Sessions } from './sessions';

it('asks with the new cookie for what was asked with the one before', async () => {
  localStorage.setItem('shopmicro.session', '1');
  let changed = false;
  serve({
    'GET /api/users/me': () => json(ada),
    'GET /api/users/me/sessions': () => (changed ? json({ items: [] }) : new Promise(() => {})),
    'PUT /api/users/me/password': () => {
      changed = true;
      return new Response(null, { status: 204 });
    },
  });
  renderPart(
    <RequireLogin>
      {() => (
        <>
          <Password />
          <Sessions />
        </>
      )}
    </RequireLogin>,
  );
  await userEvent.type(await screen.findByLabelText('Current password'), 'correct horse battery');
  await userEvent.type(screen.getByLabelText('New password'), 'another few words');
  await userEvent.click(screen.getByRole('button', { name: 'Change password' }));
  await screen.findByText(/^Your password is changed/);
  await screen.findByRole('list');
});
