import { expect, it } from 'vitest';
import './stray-clicks';

/** Two buttons, which note their clicks, and a way to click on what is in them. */
function buttons() {
  const heard: string[] = [];
  const [first, second] = ['first', 'second'].map((name) => {
    const button = document.body.appendChild(document.createElement('button'));
    button.append(document.createElement('span'));
    button.addEventListener('click', () => heard.push(name));
    return (detail: number, touch?: { at: number; clientX: number }) => {
      const event = { detail, bubbles: true, cancelable: true };
      const click = touch
        ? new PointerEvent('click', { ...event, pointerType: 'touch', clientX: touch.clientX })
        : new MouseEvent('click', event);
      if (touch) Object.defineProperty(click, 'timeStamp', { value: touch.at });
      button.firstElementChild?.dispatchEvent(click);
      return click;
    };
  });
  if (!first || !second) throw new Error('there are two');
  return { heard, first, second };
}

it('takes all clicks of one control', () => {
  const { heard, first } = buttons();
  for (const detail of [1, 2, 3]) first(detail);
  expect(heard).toEqual(['first', 'first', 'first']);
});

it('holds back the rest of a double click on another control, and takes what comes after it', () => {
  const { heard, first, second } = buttons();
  first(1);
  expect([second(2), second(3)].map((click) => click.defaultPrevented)).toEqual([true, true]);
  expect(heard).toEqual(['first']);
  second(1);
  expect(heard).toEqual(['first', 'second']);
});

it('takes every press of a key', () => {
  const { heard, first, second } = buttons();
  first(0);
  second(0);
  expect(heard).toEqual(['first', 'second']);
});

it('takes a finger that comes again at once and in the same place for a double click, where none are counted', () => {
  const { heard, first, second } = buttons();
  first(1, { at: 10_000, clientX: 50 });
  expect(second(1, { at: 10_200, clientX: 60 }).defaultPrevented).toBe(true);
  second(1, { at: 10_300, clientX: 90 });
  first(1, { at: 10_900, clientX: 90 });
  expect(heard).toEqual(['first', 'second', 'first']);
});
