import { type FormEvent, useEffect, useRef } from 'react';
import { useLocation, useNavigate, useSearchParams } from 'react-router';
import { Icon } from '@/components/icon';
import { filtersFromSearch, urls } from '@/lib/urls';
import styles from './search-box.module.css';

/** Searches the catalogue. On the catalogue's page it keeps the other filters. */
export function SearchBox() {
  const navigate = useNavigate();
  const onCatalogue = useLocation().pathname === urls.products();
  const [search] = useSearchParams();
  const filters = onCatalogue ? filtersFromSearch(search) : undefined;
  const shown = filters?.q ?? '';
  const input = useRef<HTMLInputElement>(null);
  useEffect(() => {
    // The address decides what is searched for, also after "back".
    if (input.current) input.current.value = shown;
  }, [shown]);

  const submit = (event: FormEvent) => {
    event.preventDefault();
    const q = input.current?.value.trim() ?? '';
    navigate(
      urls.products({ ...filters, q, sort: filters?.sort === 'relevance' ? undefined : filters?.sort }),
    );
    input.current?.blur();
  };

  return (
    <search className={styles.search}>
      <form onSubmit={submit}>
        <Icon name="search" />
        <input
          ref={input}
          type="search"
          name="q"
          aria-label="Search products"
          placeholder="Search products"
          maxLength={200}
          autoComplete="off"
          enterKeyHint="search"
        />
        <button type="submit" className="visually-hidden">
          Search
        </button>
      </form>
    </search>
  );
}
