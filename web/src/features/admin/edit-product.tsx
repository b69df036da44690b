import { type FormEvent, useRef } from 'react';
import type { Product } from '@/api/schema';
import { Notice } from '@/components/notice';
import { useFocusInvalid } from '@/components/use-focus-invalid';
import { useTwoSteps } from '@/components/use-two-steps';
import { dateTime } from '@/lib/format';
import { explain, fieldErrors, ProblemError } from '@/lib/http';
import styles from './admin.module.css';
import { useArchiveProduct, useEditedProduct, useSaveProduct } from './api';
import { ProductFields, productOf } from './product-fields';

/** Changes a product. Who saves over somebody else's edit is told, and chooses. */
export function EditProduct({ product, onArchived }: { product: Product; onArchived: () => void }) {
  const save = useSaveProduct(product.id);
  const archive = useArchiveProduct();
  const fresh = useEditedProduct(product.id);
  const form = useRef<HTMLFormElement>(null);
  useFocusInvalid(form, save.error);
  const { asking, ask, leave, first, second } = useTwoSteps();
  const conflict = conflictOf(save.error);

  const saveOver = (version: number) => {
    if (form.current) save.mutate({ body: productOf(form.current), version });
  };
  const submit = (event: FormEvent) => {
    event.preventDefault();
    saveOver(product.version);
  };
  const readAgain = async () => {
    await fresh.refetch();
    save.reset();
  };
  return (
    <section className={styles.panel} aria-labelledby="edit">
      <h2 id="edit">Details</h2>
      {/* Another version begins with what it has. */}
      <form ref={form} key={product.version} className={styles.form} onSubmit={submit}>
        {save.isSuccess && <Notice tone="success">Saved.</Notice>}
        {conflict !== undefined && (
          <Notice tone="warning" title="Somebody else changed this product meanwhile.">
            <p>Nothing of yours is saved yet.</p>
            <p className={styles.bar}>
              <button type="button" className="button quiet" onClick={readAgain}>
                Show theirs
              </button>
              <button type="button" className="button quiet" onClick={() => saveOver(conflict)}>
                Save mine over it
              </button>
            </p>
          </Notice>
        )}
        {save.isError && conflict === undefined && fieldErrors(save.error).length === 0 && (
          <Notice tone="error">{explain(save.error)}</Notice>
        )}
        <ProductFields product={product} error={save.error} />
        <p className={styles.bar}>
          <button type="submit" className="button" disabled={save.isPending}>
            {save.isPending ? 'Saving…' : 'Save'}
          </button>
          {asking ? (
            <>
              <button
                type="button"
                className="button danger"
                disabled={archive.isPending}
                onClick={() => archive.mutate(product.id, { onSuccess: onArchived })}
              >
                Yes, archive it
              </button>
              <button ref={second} type="button" className="button quiet" onClick={leave}>
                Keep it
              </button>
            </>
          ) : (
            <button ref={first} type="button" className="button quiet" onClick={ask}>
              Archive
            </button>
          )}
        </p>
        {archive.isError && <Notice tone="error">{explain(archive.error)}</Notice>}
        <p className="muted small">
          Version {product.version}, changed {dateTime(product.updated_at)}
        </p>
      </form>
    </section>
  );
}

/** The version that a product has by now, where that is why it was not saved. */
function conflictOf(error: Error | null): number | undefined {
  if (!(error instanceof ProblemError) || error.slug !== 'version-conflict') return undefined;
  return 'version' in error.problem ? Number(error.problem.version) : undefined;
}
