/**
 * Holds back the second click of a double click where the first has put another control under the pointer: it was meant for
 * what was there before, such as a line that has gone. All clicks of one control count. It is imported where controls take the
 * place of others, and is no part of a first visit.
 */

/** How soon, in milliseconds, and how near, in pixels, a finger comes again that taps twice: not every browser counts taps. */
const SOON = 500;
const NEAR = 24;

let meant: Element | null = null;
let last: PointerEvent | undefined;

function isAgain({ detail, pointerType, timeStamp, clientX, clientY }: PointerEvent): boolean {
  if (!last) return false;
  const near = Math.hypot(clientX - last.clientX, clientY - last.clientY) < NEAR;
  return detail > 1 || (pointerType === 'touch' && near && timeStamp - last.timeStamp < SOON);
}

function listen(event: PointerEvent): void {
  const control = event.target instanceof Element ? event.target.closest('a, button, label') : null;
  const again = isAgain(event);
  last = event;
  if (again && control !== meant) {
    event.preventDefault();
    event.stopImmediatePropagation();
  } else {
    meant = control;
  }
}

// Before the page hears of it.
addEventListener('click', listen, true);
