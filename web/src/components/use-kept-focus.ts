import { type FocusEvent, useEffect, useRef } from 'react';
import { isFocusLost } from './is-focus-lost';

/**
 * Keeps the focus near a line of a list that goes when a control in it is pressed: it moves to the line that takes its
 * place, else to the one before, else to the heading, which has `tabIndex={-1}`. `onFocus` is the list's.
 */
export function useKeptFocus() {
  const heading = useRef<HTMLHeadingElement>(null);
  const held = useRef<{ list: Element; line: Element; index: number }>(undefined);
  useEffect(() => {
    if (!held.current || held.current.line.isConnected) return;
    const { list, index } = held.current;
    held.current = undefined;
    if (!isFocusLost()) return;
    const lines = list.isConnected ? [list.children[index], list.children[index - 1]] : [];
    const controls = lines.map((line) => line?.querySelector<HTMLElement>('a, button:not([disabled])'));
    (controls.find(Boolean) ?? heading.current)?.focus({ preventScroll: true });
  });
  const onFocus = ({ currentTarget: list, target }: FocusEvent) => {
    const index = Array.from(list.children).findIndex((line) => line.contains(target));
    const line = list.children[index];
    held.current = line && { list, line, index };
  };
  return { heading, onFocus };
}
