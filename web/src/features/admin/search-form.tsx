import type { FormEvent } from 'react';
import { useNavigate } from 'react-router';

interface SearchFormProps {
  label: string;
  q: string;
  /** The address that shows what is found. */
  to: (q: string) => string;
}

/** A search that its address remembers. */
export function SearchForm({ label, q, to }: SearchFormProps) {
  const navigate = useNavigate();
  const submit = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    navigate(to(String(new FormData(event.currentTarget).get('q')).trim()));
  };
  return (
    <form onSubmit={submit} key={q}>
      <input type="search" name="q" aria-label={label} placeholder={label} defaultValue={q} maxLength={100} />
      <button type="submit" className="button quiet">
        Search
      </button>
    </form>
  );
}
