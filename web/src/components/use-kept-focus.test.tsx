import { render, screen } from '@testing-library/react';
import userEvent from '@testing-library/user-event';
import { useState } from 'react';
import { expect, it } from 'vitest';
import { useKeptFocus } from './use-kept-focus';

function Example() {
  const { heading, onFocus } = useKeptFocus();
  const [lines, setLines] = useState(['a', 'b', 'c']);
  return (
    <>
      <h2 ref={heading} tabIndex={-1}>
        Lines
      </h2>
      {lines.length > 0 && (
        <ul onFocus={onFocus}>
          {lines.map((line) => (
            <li key={line}>
              <button type="button" onClick={() => setLines(lines.filter((other) => other !== line))}>
                {line}
              </button>
            </li>
          ))}
        </ul>
      )}
      <button type="button" onClick={() => setLines([])}>
        All
      </button>
    </>
  );
}

const press = (name: string) => userEvent.click(screen.getByRole('button', { name }));
const focused = () => document.activeElement?.textContent;

it('moves to the next line, to the one before, and to the heading', async () => {
  render(<Example />);
  await press('b');
  expect(focused()).toBe('c');
  await press('c');
  expect(focused()).toBe('a');
  await press('a');
  expect(focused()).toBe('Lines');
});

it('stays where one has gone meanwhile', async () => {
  render(<Example />);
  screen.getByRole('button', { name: 'b' }).focus();
  await press('All');
  expect(focused()).toBe('All');
});
