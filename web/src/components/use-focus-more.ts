import { type RefObject, useEffect } from 'react';
import { isFocusLost } from './is-focus-lost';

/**
 * Leads the focus to the first control of what came when more lines were asked for: it is lost with the button that asked,
 * which goes, or rests. `asked` is how many lines there were then.
 */
export function useFocusMore(lines: RefObject<Element | null>, asked: RefObject<number | undefined>): void {
  useEffect(() => {
    const before = asked.current;
    if (before === undefined) return;
    const came = Array.from(lines.current?.children ?? []).slice(before);
    if (came.length === 0) return;
    asked.current = undefined;
    if (!isFocusLost()) return;
    const controls = came.map((line) => line.querySelector<HTMLElement>('a, button:not([disabled])'));
    controls.find(Boolean)?.focus({ preventScroll: true });
  });
}
