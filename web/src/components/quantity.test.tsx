import { render, screen } from '@testing-library/react';
import userEvent from '@testing-library/user-event';
import { useState } from 'react';
import { expect, it } from 'vitest';
import { Quantity } from './quantity';

function Example({ max, changes }: { max: number; changes: number[] }) {
  const [value, setValue] = useState(1);
  return (
    <Quantity
      label="Quantity"
      value={value}
      max={max}
      onChange={(next) => {
        changes.push(next);
        setValue(next);
      }}
    />
  );
}

it('steps within its bounds', async () => {
  const changes: number[] = [];
  render(<Example max={2} changes={changes} />);
  const more = screen.getByRole<HTMLButtonElement>('button', { name: 'One more' });
  expect(screen.getByRole<HTMLButtonElement>('button', { name: 'One less' }).disabled).toBe(true);
  await userEvent.click(more);
  expect(more.disabled).toBe(true);
  expect(changes).toEqual([2]);
});

it('takes what is typed, once, and within its bounds', async () => {
  const changes: number[] = [];
  render(<Example max={30} changes={changes} />);
  const input = screen.getByRole<HTMLInputElement>('textbox', { name: 'Quantity' });
  await userEvent.clear(input);
  await userEvent.type(input, '1x2');
  expect(changes).toEqual([]);
  await userEvent.tab();
  expect(changes).toEqual([12]);
  await userEvent.clear(input);
  await userEvent.type(input, '99{Enter}');
  expect(changes).toEqual([12, 30]);
  await userEvent.clear(input);
  await userEvent.tab();
  expect([changes, input.value]).toEqual([[12, 30], '30']);
});
