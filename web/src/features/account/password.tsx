import { type FormEvent, useRef } from 'react';
import { Failure } from '@/components/failure';
import { Field } from '@/components/field';
import { Notice } from '@/components/notice';
import { useFocusInvalid } from '@/components/use-focus-invalid';
import { fieldError } from '@/lib/field-errors';
import { useChangePassword } from './api';
import styles from './panel.module.css';

/** Another password, which logs out all other browsers. */
export function Password() {
  const change = useChangePassword();
  const form = useRef<HTMLFormElement>(null);
  useFocusInvalid(form, change.error);

  const submit = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    const data = new FormData(event.currentTarget);
    change.mutate(
      {
        current_password: String(data.get('current_password')),
        new_password: String(data.get('new_password')),
      },
      { onSuccess: () => form.current?.reset() },
    );
  };

  const error = (name: string) => fieldError(change.error, name);
  return (
    <section className={styles.panel} aria-labelledby="password">
      <h2 id="password">Password</h2>
      <form ref={form} onSubmit={submit}>
        <Failure error={change.error} />
        {change.isSuccess && (
          <Notice tone="success">Your password is changed, and every other browser is logged out.</Notice>
        )}
        <Field
          label="Current password"
          name="current_password"
          type="password"
          autoComplete="current-password"
          maxLength={128}
          required
          error={error('current_password')}
        />
        <Field
          label="New password"
          name="new_password"
          type="password"
          autoComplete="new-password"
          hint="At least 10 characters. A few words in a row are good."
          minLength={10}
          maxLength={128}
          required
          error={error('new_password')}
        />
        <button type="submit" className="button quiet" disabled={change.isPending}>
          {change.isPending ? 'Changing…' : 'Change password'}
        </button>
      </form>
    </section>
  );
}
