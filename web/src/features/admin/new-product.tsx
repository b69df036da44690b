import { type FormEvent, useRef } from 'react';
import type { Product } from '@/api/schema';
import { Failure } from '@/components/failure';
import { Field } from '@/components/field';
import { useFocusInvalid } from '@/components/use-focus-invalid';
import { fieldError } from '@/lib/field-errors';
import styles from './admin.module.css';
import { useCreateProduct } from './api';
import { ProductFields, productOf } from './product-fields';

/** Puts a product into the shop. */
export function NewProduct({ onCreated }: { onCreated: (product: Product) => void }) {
  const create = useCreateProduct();
  const form = useRef<HTMLFormElement>(null);
  useFocusInvalid(form, create.error);
  const submit = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    const stock = Number(new FormData(event.currentTarget).get('stock'));
    create.mutate({ ...productOf(event.currentTarget), stock }, { onSuccess: onCreated });
  };
  return (
    <section className={styles.panel} aria-label="New product">
      <form ref={form} className={styles.form} onSubmit={submit}>
        <Failure error={create.error} />
        <ProductFields error={create.error} />
        <Field
          label="Stock"
          name="stock"
          type="number"
          min="0"
          max="1000000"
          step="1"
          defaultValue="0"
          required
          error={fieldError(create.error, 'stock')}
        />
        <p>
          <button type="submit" className="button" disabled={create.isPending}>
            {create.isPending ? 'Creating…' : 'Create product'}
          </button>
        </p>
      </form>
    </section>
  );
}
