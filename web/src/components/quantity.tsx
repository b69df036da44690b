import { useEffect, useState } from 'react';
import { Icon } from './icon';
import styles from './quantity.module.css';

interface QuantityProps {
  label: string;
  value: number;
  max: number;
  onChange: (value: number) => void;
}

/** A number of units with a button for one less and one more. Typing counts once the field is left. */
export function Quantity({ label, value, max, onChange }: QuantityProps) {
  const [text, setText] = useState(String(value));
  useEffect(() => setText(String(value)), [value]);

  const commit = (wanted: number) => {
    const next = Number.isInteger(wanted) ? Math.min(Math.max(wanted, 1), Math.max(max, 1)) : value;
    setText(String(next));
    if (next !== value) onChange(next);
  };

  return (
    <fieldset className={styles.quantity}>
      <legend className="visually-hidden">{label}</legend>
      <button type="button" aria-label="One less" disabled={value <= 1} onClick={() => commit(value - 1)}>
        <Icon name="minus" />
      </button>
      <input
        type="text"
        inputMode="numeric"
        aria-label={label}
        value={text}
        onChange={(event) => setText(event.target.value.replace(/\D/g, '').slice(0, 2))}
        onBlur={() => commit(Number.parseInt(text, 10))}
        onKeyDown={(event) => {
          if (event.key === 'Enter') {
            event.preventDefault();
            commit(Number.parseInt(text, 10));
          }
        }}
      />
      <button type="button" aria-label="One more" disabled={value >= max} onClick={() => commit(value + 1)}>
        <Icon name="plus" />
      </button>
    </fieldset>
  );
}
