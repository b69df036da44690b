import { render, screen } from '@testing-library/react';
import { expect, it } from 'vitest';
import { Plot } from './plot';

const plot = (...values: number[]) =>
  render(
    <Plot
      title="Orders by day"
      points={values.map((value, index) => ({ day: `2026-01-0${index + 1}`, value }))}
      write={(value) => `${value} orders`}
    />,
  );
const said = () => screen.getByRole('img').getAttribute('aria-label');
const heights = (container: HTMLElement) =>
  Array.from(container.querySelectorAll('rect'), (bar) => Number(bar.getAttribute('height')));

it('draws each day beside the largest, and says the last and the largest', () => {
  const { container } = plot(2, 4, 1);
  expect(heights(container)).toEqual([0.5, 1, 0.25]);
  expect(Array.from(container.querySelectorAll('rect'), (bar) => bar.getAttribute('y'))).toEqual([
    '0.5',
    '0',
    '0.75',
  ]);
  expect(said()).toBe('Orders by day: 1 orders on 3 January 2026, at most 4 orders on 2 January 2026');
  expect(container.querySelectorAll('title')[1]?.textContent).toBe('2 January 2026: 4 orders');
  screen.getByText('at most 4 orders');
});

it('names the first of several largest', () => {
  plot(3, 3);
  expect(said()).toContain('at most 3 orders on 1 January 2026');
});

it('has no bars where nothing happened', () => {
  const { container } = plot(0, 0);
  expect(heights(container)).toEqual([0, 0]);
  expect(said()).toBe('Orders by day: 0 orders on 2 January 2026');
});

it('says its title alone without a day', () => {
  plot();
  expect(said()).toBe('Orders by day');
});
