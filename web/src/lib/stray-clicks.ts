/**
 * Holds back the second click of a double click where the first has put another control under the pointer: it was meant for
 * what was there before, such as a line that has gone. All clicks of one control count.
 */
export function holdStrayClicks(): void {
  let meant: Element | null = null;
  const listen = (event: MouseEvent) => {
    const control = event.target instanceof Element ? event.target.closest('a, button') : null;
    if (event.detail > 1 && control !== meant) {
      event.preventDefault();
      event.stopImmediatePropagation();
    } else {
      meant = control;
    }
  };
  // Before anything else hears of it.
  addEventListener('click', listen, true);
}
