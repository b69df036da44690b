import { screen, waitFor } from '@testing-library/react';
import userEvent from '@testing-library/user-event';
import { expect, it } from 'vitest';
import type { Ledger } from '@/api/schema';
import { json, problem, product, serve } from '@/test/api';
import { renderPart } from '@/test/render';
import { Stock } from './stock';

const { id } = product();
const path = `/api/products/${id}/stock`;

/** Answers adjustments, after which the movements hold them, so. */
async function adjust(answer: (n: number) => Response) {
  const ledger: Ledger = { stock: 10, sum: 10, items: [] };
  const keys: (string | null)[] = [];
  let away = false;
  serve({
    [`GET ${path}`]: () => (away ? problem(503, 'unavailable') : json(ledger)),
    [`POST ${path}`]: ({ headers }) => {
      keys.push(headers.get('Idempotency-Key'));
      ledger.items = [{ at: '2026-01-02T03:04:05Z', delta: 7, reason: 'adjustment', note: 'found' }];
      return answer(keys.length);
    },
  });
  renderPart(<Stock id={id} />);
  await userEvent.type(await screen.findByLabelText('Change by'), '7');
  await userEvent.type(screen.getByLabelText('Why'), 'found');
  return {
    keys,
    leave: () => {
      away = true;
    },
    press: () => userEvent.click(screen.getByRole('button', { name: 'Adjust stock' })),
  };
}

const lost = () => {
  throw new TypeError('Failed to fetch');
};
const done = () => json({ stock: 17 }, 201);

it('shows what may have counted where the answer was lost, and counts once when it is sent again', async () => {
  const { keys, press } = await adjust((n) => (n === 1 ? lost() : done()));
  await press();
  await screen.findByText(/^It may have counted all the same/);
  await screen.findByText('Adjusted: found');
  expect(screen.getByLabelText<HTMLInputElement>('Change by').value).toBe('7');
  await press();
  await waitFor(() => expect(screen.getByLabelText<HTMLInputElement>('Change by').value).toBe(''));
  expect(screen.queryByText(/may have counted/)).toBeNull();
  expect(keys[0]).toMatch(/^[0-9a-f]{32}$/);
  expect(keys).toEqual([keys[0], keys[0]]);
});

it('counts once where it was refused between, which says nothing of the first time', async () => {
  const answers = [
    lost,
    () => problem(429, 'too-many-requests'),
    () => problem(401, 'unauthenticated'),
    done,
  ];
  const { keys, press } = await adjust((n) => answers[n - 1]?.() ?? done());
  for (let n = 1; n <= answers.length; n++) {
    await press();
    await waitFor(() => expect(keys).toHaveLength(n));
    await screen.findByRole('button', { name: 'Adjust stock' });
  }
  expect(new Set(keys).size).toBe(1);
});

it('counts another change, and the same one once more where its outcome is known', async () => {
  const { keys, press } = await adjust((n) => (n === 1 ? lost() : done()));
  await press();
  await screen.findByText(/^It may have counted all the same/);
  await userEvent.type(screen.getByLabelText('Why'), ' twice');
  await press();
  for (const n of [2, 3]) {
    await waitFor(() => expect(screen.getByLabelText<HTMLInputElement>('Why').value).toBe(''));
    expect(keys).toHaveLength(n);
    await userEvent.type(screen.getByLabelText('Change by'), '7');
    await userEvent.type(screen.getByLabelText('Why'), 'found');
    await press();
  }
  expect(new Set(keys).size).toBe(4);
});

it('says nothing of the kind where it was refused', async () => {
  const { press } = await adjust(() => problem(429, 'too-many-requests'));
  await press();
  await screen.findByText(/^That was a bit fast/);
  expect(screen.queryByText(/may have counted/)).toBeNull();
});

it('is done once it is answered, whatever else cannot be read', async () => {
  const { leave, press } = await adjust(done);
  leave();
  await press();
  const button = await screen.findByRole('button', { name: 'Adjust stock' });
  expect(button.hasAttribute('disabled')).toBe(false);
  expect(screen.getByLabelText<HTMLInputElement>('Change by').value).toBe('');
});
