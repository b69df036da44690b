import { type FormEvent, useRef, useState } from 'react';
import { Link } from 'react-router';
import type { Cart, CheckoutBody, Order } from '@/api/schema';
import { Field, SelectField } from '@/components/field';
import { Notice } from '@/components/notice';
import { useFocusInvalid } from '@/components/use-focus-invalid';
import { fieldError, fieldErrors } from '@/lib/field-errors';
import { count, money } from '@/lib/format';
import { explain, isTransient, ProblemError } from '@/lib/http';
import { urls } from '@/lib/urls';
import { shortages, usePlaceOrder } from './api';
import { beginAttempt } from './attempt';
import { digits, TEST_CARDS } from './cards';
import styles from './checkout-form.module.css';
import { COUNTRIES } from './countries';
import { type Draft, keepDraft, readDraft } from './draft';

interface CheckoutFormProps {
  cart: Cart;
  customerName: string;
  onPlaced: (order: Order) => void;
}

/** Where it goes and how it is paid. */
export function CheckoutForm({ cart, customerName, onPlaced }: CheckoutFormProps) {
  const place = usePlaceOrder();
  const form = useRef<HTMLFormElement>(null);
  useFocusInvalid(form, place.error);
  // A second click may come before the next rendering, or after the order but before its page.
  const busy = useRef(false);
  const [draft] = useState(readDraft);
  const [card, setCard] = useState(draft.card_number ?? TEST_CARDS[0]?.number ?? '');

  const submit = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    if (busy.current) return;
    busy.current = true;
    const body = bodyOf(valuesOf(event.currentTarget), cart);
    // Not by the callbacks of a mutation, which end with this form: the cart may be seen empty before the answer is.
    place.mutateAsync(beginAttempt(body, cart)).then(onPlaced, () => {
      busy.current = false;
    });
  };

  const error = (path: string) => fieldError(place.error, path);
  const address = (name: string) => ({
    name,
    defaultValue: draft[name],
    error: error(`shipping_address.${name}`),
  });
  return (
    <form
      ref={form}
      className={styles.form}
      onSubmit={submit}
      onChange={(event) => keepDraft(valuesOf(event.currentTarget))}
    >
      <fieldset>
        <legend>Delivery address</legend>
        <Field
          label="Name"
          {...address('name')}
          defaultValue={draft.name ?? customerName}
          autoComplete="shipping name"
          maxLength={100}
          required
        />
        <Field
          label="Street and number"
          {...address('line1')}
          autoComplete="shipping address-line1"
          maxLength={200}
          required
        />
        <Field
          label="Flat, floor, company"
          {...address('line2')}
          autoComplete="shipping address-line2"
          maxLength={200}
        />
        <div className={styles.pair}>
          <Field
            label="Postcode"
            {...address('postal_code')}
            autoComplete="shipping postal-code"
            maxLength={20}
            required
          />
          <Field
            label="Town or city"
            {...address('city')}
            autoComplete="shipping address-level2"
            maxLength={100}
            required
          />
        </div>
        <SelectField
          label="Country"
          {...address('country')}
          defaultValue={draft.country ?? 'GB'}
          autoComplete="shipping country"
          required
        >
          {COUNTRIES.map(({ code, name }) => (
            <option key={code} value={code}>
              {name}
            </option>
          ))}
        </SelectField>
      </fieldset>
      <fieldset>
        <legend>Payment</legend>
        <Field
          label="Card number"
          name="card_number"
          value={card}
          onChange={(event) => setCard(event.target.value)}
          inputMode="numeric"
          autoComplete="off"
          maxLength={23}
          hint="This is a demonstration: only the test cards below are accepted, and no money moves."
          error={error('payment.card_number')}
          required
        />
        <ul className={styles.cards} aria-label="Test cards">
          {TEST_CARDS.map((known) => (
            <li key={known.number}>
              <button
                type="button"
                aria-pressed={digits(card) === digits(known.number)}
                onClick={() => {
                  setCard(known.number);
                  if (form.current) keepDraft({ ...valuesOf(form.current), card_number: known.number });
                }}
              >
                <span>{known.label}</span>
                <span className={styles.digits}>•••• {known.number.slice(-4)}</span>
              </button>
            </li>
          ))}
        </ul>
      </fieldset>
      <Outcome error={place.error} />
      <button type="submit" className="button wide" disabled={place.isPending}>
        {place.isPending ? 'Placing your order…' : `Pay ${money(cart.total_cents, cart.currency)}`}
      </button>
    </form>
  );
}

/** Why no order was made, and what to do about it. */
function Outcome({ error }: { error: Error | null }) {
  if (!error) return null;
  const short = shortages(error);
  if (short.length > 0) {
    return (
      <Notice tone="error" title="There is not enough of everything.">
        <ul className={styles.short}>
          {short.map((item) => (
            <li key={item.product_id}>
              {item.name}: you asked for {item.requested},{' '}
              {item.available === 0 ? 'it is sold out' : `${count(item.available, 'is', 'are')} left`}
            </li>
          ))}
        </ul>
        <p>
          Nothing was ordered. <Link to={urls.cart()}>Change your cart</Link>
        </p>
      </Notice>
    );
  }
  const slug = error instanceof ProblemError ? error.slug : '';
  if (slug === 'total-changed') {
    return (
      <Notice tone="error" title="The total has changed.">
        <p>
          Nothing was ordered. Prices or <Link to={urls.cart()}>your cart</Link> changed while you were here:
          the button says what it costs now.
        </p>
      </Notice>
    );
  }
  if (fieldErrors(error).length > 0) {
    return <Notice tone="error">Some fields need another look: they are marked above.</Notice>;
  }
  if (slug === 'payment-declined') {
    return (
      <Notice tone="error" title="Your card was declined.">
        <p>Nothing was charged, and your cart is as it was. Try another card.</p>
      </Notice>
    );
  }
  if (slug === 'idempotency-mismatch') {
    return (
      <Notice tone="error" title="An earlier try may have gone through.">
        <p>
          Look at <Link to={urls.orders()}>your orders</Link> before you pay again.
        </p>
      </Notice>
    );
  }
  if (isTransient(error)) {
    return (
      <Notice tone="error" title={explain(error)}>
        <p>Paying again is safe: it finishes the same order and never makes a second one.</p>
      </Notice>
    );
  }
  return <Notice tone="error">{explain(error)}</Notice>;
}

function valuesOf(form: HTMLFormElement): Draft {
  return Object.fromEntries(Array.from(new FormData(form), ([name, value]) => [name, String(value)]));
}

function bodyOf(values: Draft, cart: Cart): CheckoutBody {
  const {
    name = '',
    line1 = '',
    line2 = '',
    city = '',
    postal_code = '',
    country = '',
    card_number = '',
  } = values;
  return {
    shipping_address: { name, line1, ...(line2.trim() && { line2 }), city, postal_code, country },
    payment: { card_number: digits(card_number) },
    // What the button says. The shop takes no other sum.
    expected_total_cents: cart.total_cents,
  };
}
