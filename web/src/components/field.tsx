import { type ComponentProps, type ReactNode, useId } from 'react';
import styles from './field.module.css';

interface FieldProps {
  label: string;
  name: string;
  hint?: string;
  /** What the shop says is wrong with the value. */
  error?: string;
}

/** A labelled input with its hint and its error. */
export function Field({ label, hint, error, ...input }: FieldProps & ComponentProps<'input'>) {
  return (
    <Labelled label={label} hint={hint} error={error} optional={!input.required}>
      {(control) => <input {...input} {...control} />}
    </Labelled>
  );
}

/** A labelled text of several lines, likewise. */
export function TextField({ label, hint, error, ...text }: FieldProps & ComponentProps<'textarea'>) {
  return (
    <Labelled label={label} hint={hint} error={error} optional={!text.required}>
      {(control) => <textarea {...text} {...control} />}
    </Labelled>
  );
}

/** A labelled choice, likewise. */
export function SelectField({ label, hint, error, ...select }: FieldProps & ComponentProps<'select'>) {
  return (
    <Labelled label={label} hint={hint} error={error} optional={!select.required}>
      {(control) => <select {...select} {...control} />}
    </Labelled>
  );
}

interface LabelledProps extends Omit<FieldProps, 'name'> {
  optional: boolean;
  /** The control, with what ties it to the words around it. */
  children: (control: { id: string; 'aria-invalid'?: true; 'aria-describedby'?: string }) => ReactNode;
}

function Labelled({ label, hint, error, optional, children }: LabelledProps) {
  const id = useId();
  const described = [hint && `${id}-hint`, error && `${id}-error`].filter(Boolean).join(' ');
  return (
    <div className={styles.field}>
      <label htmlFor={id}>
        {label}
        {optional && <span className={styles.optional}> (optional)</span>}
      </label>
      {children({ id, 'aria-invalid': error ? true : undefined, 'aria-describedby': described || undefined })}
      {hint && (
        <p id={`${id}-hint`} className={styles.hint}>
          {hint}
        </p>
      )}
      {error && (
        <p id={`${id}-error`} className={styles.error}>
          {error}
        </p>
      )}
    </div>
  );
}
