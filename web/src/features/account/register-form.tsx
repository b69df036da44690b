import { type FormEvent, useRef } from 'react';
import { Failure } from '@/components/failure';
import { Field } from '@/components/field';
import { useFocusInvalid } from '@/components/use-focus-invalid';
import { fieldError } from '@/lib/field-errors';
import { useRegister } from './api';
import styles from './form.module.css';

export function RegisterForm() {
  const register = useRegister();
  const form = useRef<HTMLFormElement>(null);
  useFocusInvalid(form, register.error);

  const submit = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    const data = new FormData(event.currentTarget);
    register.mutate({
      name: String(data.get('name')),
      email: String(data.get('email')),
      password: String(data.get('password')),
    });
  };

  const error = (name: string) => fieldError(register.error, name);
  return (
    <form ref={form} className={styles.form} onSubmit={submit}>
      <Failure error={register.error} />
      <Field label="Name" name="name" autoComplete="name" maxLength={100} required error={error('name')} />
      <Field
        label="E-mail"
        name="email"
        type="email"
        autoComplete="username"
        maxLength={254}
        required
        error={error('email')}
      />
      <Field
        label="Password"
        name="password"
        type="password"
        autoComplete="new-password"
        hint="At least 10 characters. A few words in a row are good."
        minLength={10}
        maxLength={128}
        required
        error={error('password')}
      />
      <button type="submit" className="button wide" disabled={register.isPending}>
        {register.isPending ? 'Creating your account…' : 'Create account'}
      </button>
    </form>
  );
}
