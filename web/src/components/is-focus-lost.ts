/** True where nothing has the focus, as after what had it has gone. Whoever has gone on meanwhile is not to be called back. */
export function isFocusLost(): boolean {
  return (document.activeElement ?? document.body) === document.body;
}
