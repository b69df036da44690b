import { type FormEvent, useRef, useState } from 'react';
import type { Product } from '@/api/schema';
import { Failure } from '@/components/failure';
import { Notice } from '@/components/notice';
import { useFocusInvalid } from '@/components/use-focus-invalid';
import { useKeptFocus } from '@/components/use-kept-focus';
import { useTwoSteps } from '@/components/use-two-steps';
import { dateTime } from '@/lib/format';
import { explain, ProblemError } from '@/lib/http';
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
  const { heading, onFocus } = useKeptFocus();
  const { asking, ask, leave, first, second } = useTwoSteps();
  const conflict = conflictOf(save.error);
  // What the fields began with; what was typed since stays in them when it is saved.
  const [begun, begin] = useState(product);
  // What they change. Not the newest that is known, which may hold what nobody here has seen.
  const [version, setVersion] = useState(product.version);

  const saveOver = (version: number) => {
    if (!form.current) return;
    const body = productOf(form.current);
    save.mutate({ body, version }, { onSuccess: (saved) => setVersion(saved.version) });
  };
  const submit = (event: FormEvent) => {
    event.preventDefault();
    saveOver(version);
  };
  const readAgain = async () => {
    const { data: theirs = product } = await fresh.refetch();
    begin(theirs);
    setVersion(theirs.version);
    save.reset();
  };
  return (
    <section className={styles.panel} aria-labelledby="edit">
      <h2 id="edit" ref={heading} tabIndex={-1}>
        Details
      </h2>
      <form ref={form} key={begun.version} className={styles.form} onSubmit={submit} onFocus={onFocus}>
        {save.isSuccess && <Notice tone="success">Saved.</Notice>}
        {conflict === undefined ? (
          <Failure error={save.error} />
        ) : (
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
        <ProductFields product={begun} error={save.error} />
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
              <button
                ref={second}
                type="button"
                className="button quiet"
                disabled={archive.isPending}
                onClick={leave}
              >
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
