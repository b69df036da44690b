import { screen } from '@testing-library/react';
import userEvent from '@testing-library/user-event';
import { expect, it } from 'vitest';
import type { ModelState, Retraining } from '@/api/schema';
import { json, serve } from '@/test/api';
import { renderPart } from '@/test/render';
import { Model } from './model';

type Known = NonNullable<ModelState['model']>;

const before: Known = {
  model_version: 'v1',
  trained_at: '2026-01-02T03:04:05Z',
  products: 3,
  terms: 40,
  interactions: 5,
  users: 2,
  quality: { hit_rate: 0.125, customers: 400 },
  training: { stage: 'idle', last: 'failed', last_milliseconds: null },
};

/** Answers in turn with what is known of the model; the last answer stays. The wish for another is granted. */
function tell(...states: Partial<Known>[]) {
  answer('started', ...states);
}

function answer(status: Retraining['status'], ...states: Partial<Known>[]) {
  let at = 0;
  serve({
    'GET /api/admin/model': () =>
      json({ model: { ...before, ...states[Math.min(at++, states.length - 1)] } }),
    'POST /api/admin/model/retrain': () => json({ status, model_version: 'v1' }, 202),
  });
  renderPart(<Model />);
}

const train = async () => userEvent.click(await screen.findByRole('button', { name: 'Train a new model' }));

it('tells what the model is worth', async () => {
  tell({});
  expect(await screen.findByText(/^12.5% of 400 customers/)).toBeDefined();
});

it('follows the training of the first model without being asked', async () => {
  tell(
    { model_version: null, trained_at: null, training: { stage: 'fitting' } },
    { training: { stage: 'idle', last: 'trained' } },
  );
  expect(await screen.findByText('The recommender has no model yet.')).toBeDefined();
  expect(screen.getByRole('progressbar', { name: 'Training' })).toBeDefined();
  expect(await screen.findByRole('row', { name: 'Version v1' }, { timeout: 5_000 })).toBeDefined();
  expect(screen.queryByRole('progressbar')).toBeNull();
});

it('follows a training to its end', async () => {
  const training = { stage: 'fitting', last: 'failed' } as const;
  tell(
    {},
    { training },
    { trained_at: '2026-02-02T03:04:05Z', training: { stage: 'idle', last: 'trained' } },
  );
  await train();
  expect(await screen.findByText('Computing…')).toBeDefined();
  expect(screen.getByRole('progressbar', { name: 'Training' }).getAttribute('value')).toBe('1.5');
  expect(await screen.findByText('The new model is in use.', {}, { timeout: 5_000 })).toBeDefined();
  expect(screen.queryByRole('progressbar')).toBeNull();
});

it('says that a training failed', async () => {
  tell({}, { training: { stage: 'reading', last: 'trained' } }, {});
  await train();
  expect(await screen.findByText('Reading the catalogue…')).toBeDefined();
  expect(await screen.findByText(/^The training failed/, {}, { timeout: 5_000 })).toBeDefined();
  expect(screen.getByRole('button', { name: 'Train a new model' }).hasAttribute('disabled')).toBe(false);
});

it.each([
  ['another training was over before it was looked for', 'already-running', []],
  ['a restart ended the training', 'started', [{ training: { stage: 'fitting' } } as const]],
] as const)('waits no longer where %s', async (_, status, between) => {
  const idle = { training: { stage: 'idle' } } as const;
  answer(status, idle, ...between, idle);
  await train();
  expect(await screen.findByText(/^No new model came of it/, {}, { timeout: 5_000 })).toBeDefined();
  expect(screen.queryByRole('progressbar')).toBeNull();
  expect(screen.getByRole('button', { name: 'Train a new model' }).hasAttribute('disabled')).toBe(false);
});
