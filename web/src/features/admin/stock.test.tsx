import { screen } from '@testing-library/react';
import userEvent from '@testing-library/user-event';
import { expect, it } from 'vitest';
import type { Ledger } from '@/api/schema';
import { json, problem, product, serve } from '@/test/api';
import { renderPart } from '@/test/render';
import { Stock } from './stock';

const { id } = product();
const path = `/api/products/${id}/stock`;

/** Answers an adjustment, after which the movements hold it, so. */
async function adjust(answer: () => Response) {
  const ledger: Ledger = { stock: 10, sum: 10, items: [] };
  let away = false;
  serve({
    [`GET ${path}`]: () => (away ? problem(503, 'unavailable') : json(ledger)),
    [`POST ${path}`]: () => {
      ledger.items = [{ at: '2026-01-02T03:04:05Z', delta: 7, reason: 'adjustment', note: 'found' }];
      return answer();
    },
  });
  renderPart(<Stock id={id} />);
  await userEvent.type(await screen.findByLabelText('Change by'), '7');
  await userEvent.type(screen.getByLabelText('Why'), 'found');
  return {
    leave: () => {
      away = true;
    },
    press: () => userEvent.click(screen.getByRole('button', { name: 'Adjust stock' })),
  };
}

it('shows what may have counted where the answer was lost', async () => {
  const { press } = await adjust(() => {
    throw new TypeError('Failed to fetch');
  });
  await press();
  await screen.findByText(/^It may have counted all the same/);
  await screen.findByText('Adjusted: found');
  expect(screen.getByLabelText<HTMLInputElement>('Change by').value).toBe('7');
});

it('says nothing of the kind where it was refused', async () => {
  const { press } = await adjust(() => problem(429, 'too-many-requests'));
  await press();
  await screen.findByText(/^That was a bit fast/);
  expect(screen.queryByText(/may have counted/)).toBeNull();
});

it('is done once it is answered, whatever else cannot be read', async () => {
  const { leave, press } = await adjust(() => json({ stock: 17 }, 201));
  leave();
  await press();
  const button = await screen.findByRole('button', { name: 'Adjust stock' });
  expect(button.hasAttribute('disabled')).toBe(false);
  expect(screen.getByLabelText<HTMLInputElement>('Change by').value).toBe('');
});
