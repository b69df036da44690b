import { useRef, useState } from 'react';
import '@/lib/stray-clicks';
import { isFocusLost } from './is-focus-lost';

/**
 * Two steps to what cannot be undone. The focus, which would be lost with the button that goes, moves along: to the element
 * with `second` when it is asked, and back to the button with `first`.
 */
export function useTwoSteps() {
  const [asking, setAsking] = useState(false);
  const left = useRef(false);
  return {
    asking,
    ask: () => setAsking(true),
    leave: () => {
      left.current = true;
      setAsking(false);
    },
    first: (button: HTMLButtonElement | null) => {
      if (!button || !left.current) return;
      left.current = false;
      if (isFocusLost()) button.focus();
    },
    second,
  };
}

/** Called once, when the element is there. */
function second(element: HTMLElement | null) {
  element?.focus();
}
