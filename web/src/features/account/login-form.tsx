import { type FormEvent, useRef } from 'react';
import { Failure } from '@/components/failure';
import { Field } from '@/components/field';
import { Notice } from '@/components/notice';
import { useFocusInvalid } from '@/components/use-focus-invalid';
import { fieldError } from '@/lib/field-errors';
import { ProblemError } from '@/lib/http';
import { useLogin } from './api';
import styles from './form.module.css';

export function LoginForm() {
  const login = useLogin();
  const form = useRef<HTMLFormElement>(null);
  useFocusInvalid(form, login.error);

  const submit = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    const data = new FormData(event.currentTarget);
    login.mutate({ email: String(data.get('email')), password: String(data.get('password')) });
  };

  const wrong = login.error instanceof ProblemError && login.error.status === 401;
  const error = (name: string) => fieldError(login.error, name);
  return (
    <form ref={form} className={styles.form} onSubmit={submit}>
      {wrong ? (
        <Notice tone="error">That e-mail address and password do not belong together.</Notice>
      ) : (
        <Failure error={login.error} />
      )}
      <Field
        label="E-mail"
        name="email"
        type="email"
        autoComplete="username"
        required
        error={error('email')}
      />
      <Field
        label="Password"
        name="password"
        type="password"
        autoComplete="current-password"
        maxLength={128}
        required
        error={error('password')}
      />
      <button type="submit" className="button wide" disabled={login.isPending}>
        {login.isPending ? 'Logging in…' : 'Log in'}
      </button>
    </form>
  );
}
