import { type FormEvent, useRef } from 'react';
import { Failure } from '@/components/failure';
import { Field } from '@/components/field';
import { useFocusInvalid } from '@/components/use-focus-invalid';
import { useTwoSteps } from '@/components/use-two-steps';
import { fieldError } from '@/lib/field-errors';
import { useDeleteAccount } from './api';
import styles from './panel.module.css';

/** The end of an account, in two steps and with the password, since it cannot be undone. */
export function DeleteAccount() {
  const { asking, ask, leave, first, second } = useTwoSteps();
  const remove = useDeleteAccount();
  const form = useRef<HTMLFormElement>(null);
  useFocusInvalid(form, remove.error);
  const submit = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    const password = String(new FormData(event.currentTarget).get('password'));
    remove.mutate({ password });
  };
  return (
    <section className={styles.panel} aria-labelledby="delete">
      <h2 id="delete">Delete your account</h2>
      <p className="muted">
        What is personal goes at once. Your orders stay in the books without your name; one that is on its way
        keeps its address until it has arrived.
      </p>
      {asking ? (
        <form ref={form} onSubmit={submit}>
          <Failure error={remove.error} />
          <Field
            ref={second}
            label="Password"
            name="password"
            type="password"
            autoComplete="current-password"
            maxLength={128}
            required
            error={fieldError(remove.error, 'password')}
          />
          <div className={styles.actions}>
            <button type="submit" className="button danger" disabled={remove.isPending}>
              {remove.isPending ? 'Deleting…' : 'Delete for good'}
            </button>
            <button type="button" className="button quiet" disabled={remove.isPending} onClick={leave}>
              Keep it
            </button>
          </div>
        </form>
      ) : (
        <p>
          <button ref={first} type="button" className="button quiet" onClick={ask}>
            Delete account
          </button>
        </p>
      )}
    </section>
  );
}
