import type { Product, ProductBody } from '@/api/schema';
import { Field, TextField } from '@/components/field';
import { fieldError } from '@/lib/field-errors';
import styles from './admin.module.css';

/** All that people edit of a product. */
export function ProductFields({ product, error }: { product?: Product; error: Error | null }) {
  const field = (name: string) => ({ name, error: fieldError(error, name) });
  // The address of a drawn picture is the shop's own.
  const picture = product?.image_url.startsWith('/api/') ? '' : product?.image_url;
  return (
    <>
      <Field label="Name" {...field('name')} defaultValue={product?.name} maxLength={200} required />
      <div className={styles.pair}>
        <Field label="SKU" {...field('sku')} defaultValue={product?.sku} maxLength={64} required />
        <Field
          label="Category"
          {...field('category')}
          defaultValue={product?.category}
          maxLength={60}
          required
        />
        <Field
          label="Price"
          {...field('price_cents')}
          type="number"
          min="0"
          max="1000000"
          step="0.01"
          inputMode="decimal"
          defaultValue={product && (product.price_cents / 100).toFixed(2)}
          required
        />
      </div>
      <TextField
        label="Description"
        {...field('description')}
        defaultValue={product?.description}
        maxLength={4000}
        rows={5}
      />
      <Field
        label="Tags"
        {...field('tags')}
        defaultValue={product?.tags.join(', ')}
        hint="Words by which it is found as well, between commas."
      />
      <Field
        label="Picture"
        {...field('image_url')}
        defaultValue={picture}
        maxLength={500}
        hint="An https address, or a path of this shop. Without one, the shop draws a picture."
      />
    </>
  );
}

/** What the fields hold. */
export function productOf(form: HTMLFormElement): ProductBody {
  const data = new FormData(form);
  const text = (name: string) => String(data.get(name) ?? '').trim();
  return {
    name: text('name'),
    sku: text('sku'),
    category: text('category'),
    description: text('description'),
    tags: tagsOf(text('tags')),
    price_cents: Math.round(Number(text('price_cents')) * 100),
    image_url: text('image_url') || null,
  };
}

/** Tags as people write them, between commas. */
export function tagsOf(text: string): string[] {
  return text
    .split(',')
    .map((tag) => tag.trim())
    .filter(Boolean);
}
