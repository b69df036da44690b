import { type FormEvent, type KeyboardEvent, useEffect, useId, useRef, useState } from 'react';
import { useLocation, useNavigate, useSearchParams } from 'react-router';
import type { Suggestion } from '@/api/schema';
import { Icon } from '@/components/icon';
import { count } from '@/lib/format';
import { filtersFromSearch, urls } from '@/lib/urls';
import { useSuggestions } from './api';
import styles from './search-box.module.css';

/** Long enough that a word typed at once is one question. */
const PAUSE_MS = 120;

/**
 * Searches the catalogue, with suggestions while one types: the arrows choose one, Enter takes it, Escape closes them. On
 * the catalogue's page a search keeps the other filters.
 */
export function SearchBox() {
  const navigate = useNavigate();
  const { pathname, key } = useLocation();
  const [search] = useSearchParams();
  const filters = pathname === urls.products() ? filtersFromSearch(search) : undefined;
  const shown = filters?.q ?? '';
  const id = useId();
  const [text, setText] = useState(shown);
  const [open, setOpen] = useState(false);
  const [active, setActive] = useState(-1);
  const input = useRef<HTMLInputElement>(null);
  // biome-ignore lint/correctness/useExhaustiveDependencies: every navigation counts, also to the same search
  useEffect(() => {
    // The address decides what is searched for, also after "back".
    setText(shown);
    setOpen(false);
  }, [shown, key]);

  // Nothing is wanted once the list is closed: what was searched for is no question when the box is written in again.
  const wanted = open ? text.trim() : '';
  const settled = useSettled(wanted);
  const found = useSuggestions(wanted && settled);
  const suggestions = wanted ? (found.data?.items ?? []) : [];
  const chosen = suggestions[active];

  const go = (to: string) => {
    setOpen(false);
    input.current?.blur();
    navigate(to);
  };
  const take = (suggestion: Suggestion) =>
    go(
      suggestion.kind === 'product'
        ? urls.product(suggestion.product_id)
        : urls.products({ category: suggestion.text }),
    );
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (chosen) return take(chosen);
    const sort = filters?.sort === 'relevance' ? undefined : filters?.sort;
    go(urls.products({ ...filters, q: text.trim(), sort }));
  };
  const move = (event: KeyboardEvent) => {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (step) {
      event.preventDefault();
      setOpen(true);
      // One place more than there are suggestions: the text itself.
      const places = suggestions.length + 1;
      setActive((now) => ((now + 1 + step + places) % places) - 1);
    } else if (event.key === 'Escape' && open) {
      event.preventDefault();
      setOpen(false);
      setActive(-1);
    }
  };

  const expanded = suggestions.length > 0;
  return (
    <search className={styles.search}>
      <form onSubmit={submit}>
        <Icon name="search" />
        <input
          ref={input}
          type="search"
          name="q"
          role="combobox"
          aria-label="Search products"
          aria-expanded={expanded}
          aria-controls={`${id}-list`}
          aria-autocomplete="list"
          aria-activedescendant={chosen ? `${id}-${active}` : undefined}
          placeholder="Search products"
          maxLength={200}
          autoComplete="off"
          enterKeyHint="search"
          value={text}
          onChange={(event) => {
            setText(event.target.value);
            setOpen(true);
            setActive(-1);
          }}
          onKeyDown={move}
          onBlur={() => setOpen(false)}
        />
        <button type="submit" className="visually-hidden">
          Search
        </button>
        <div
          id={`${id}-list`}
          role="listbox"
          aria-label="Suggestions"
          className={styles.list}
          hidden={!expanded}
          // The field keeps the focus.
          onPointerDown={(event) => event.preventDefault()}
        >
          {suggestions.map((suggestion, index) => (
            // biome-ignore lint/a11y/useKeyWithClickEvents: the keys are the field's, as in any combobox
            <div
              key={suggestion.kind === 'product' ? suggestion.product_id : suggestion.text}
              id={`${id}-${index}`}
              role="option"
              // The focus stays in the field, which names the chosen one.
              tabIndex={-1}
              aria-selected={index === active}
              className={styles.option}
              onClick={() => take(suggestion)}
            >
              <Icon name={suggestion.kind === 'category' ? 'box' : 'search'} />
              <span className={styles.name}>{suggestion.text}</span>
              {suggestion.kind === 'category' && <span className="muted small">Category</span>}
            </div>
          ))}
        </div>
        <p className="visually-hidden" role="status">
          {expanded ? `${count(suggestions.length, 'suggestion')}; the arrow keys choose one` : ''}
        </p>
      </form>
    </search>
  );
}

/** A value once it has not changed for a moment. */
function useSettled(value: string): string {
  const [settled, settle] = useState(value);
  useEffect(() => {
    const timer = setTimeout(() => settle(value), PAUSE_MS);
    return () => clearTimeout(timer);
  }, [value]);
  return settled;
}
