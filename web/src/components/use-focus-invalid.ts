import { type RefObject, useEffect } from 'react';

/** Moves the focus to the first field that was refused, so that nobody has to look for it. */
export function useFocusInvalid(form: RefObject<HTMLFormElement | null>, error: unknown): void {
  useEffect(() => {
    if (error) form.current?.querySelector<HTMLElement>('[aria-invalid="true"]')?.focus();
  }, [form, error]);
}
