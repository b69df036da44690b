import { type FormEvent, useRef, useState } from 'react';
import type { ProfileBody, User } from '@/api/schema';
import { Failure } from '@/components/failure';
import { Field } from '@/components/field';
import { Notice } from '@/components/notice';
import { useFocusInvalid } from '@/components/use-focus-invalid';
import { fieldError } from '@/lib/field-errors';
import { date } from '@/lib/format';
import { useChangeProfile } from './api';
import styles from './panel.module.css';

/** Who is logged in, to be changed; another address needs the password. */
export function Profile({ me }: { me: User }) {
  const change = useChangeProfile();
  const form = useRef<HTMLFormElement>(null);
  useFocusInvalid(form, change.error);
  const [email, setEmail] = useState(me.email);
  const moves = email.trim().toLowerCase() !== me.email;

  const submit = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    const data = new FormData(event.currentTarget);
    const body: ProfileBody = { name: String(data.get('name')) };
    if (moves) Object.assign(body, { email, current_password: String(data.get('current_password')) });
    change.mutate(body, { onSuccess: (user) => setEmail(user.email) });
  };

  const error = (name: string) => fieldError(change.error, name);
  return (
    <section className={styles.panel} aria-labelledby="profile">
      <h2 id="profile">Your details</h2>
      <form ref={form} onSubmit={submit}>
        <Failure error={change.error} />
        {change.isSuccess && <Notice tone="success">Saved.</Notice>}
        <Field
          label="Name"
          name="name"
          autoComplete="name"
          defaultValue={me.name}
          maxLength={100}
          required
          error={error('name')}
        />
        <Field
          label="E-mail"
          name="email"
          type="email"
          autoComplete="username"
          value={email}
          onChange={(event) => setEmail(event.target.value)}
          maxLength={254}
          required
          error={error('email')}
        />
        {moves && (
          <Field
            label="Password"
            name="current_password"
            type="password"
            autoComplete="current-password"
            hint="Another address needs your password."
            maxLength={128}
            required
            error={error('current_password')}
          />
        )}
        <button type="submit" className="button quiet" disabled={change.isPending}>
          {change.isPending ? 'Saving…' : 'Save'}
        </button>
        <p className="muted small">Customer since {date(me.created_at)}</p>
      </form>
    </section>
  );
}
