import { useState } from 'react';
import type { ModelState } from '@/api/schema';
import { Loaded } from '@/components/loaded';
import { Notice } from '@/components/notice';
import { Skeletons } from '@/components/skeleton';
import { dateTime } from '@/lib/format';
import { explain } from '@/lib/http';
import styles from './admin.module.css';
import { useModel, useRetrain } from './api';

/** The model behind the recommendations, and how to have another. */
export function Model() {
  // When the model was trained that the next one shall follow; it is there once another time is told.
  const [before, setBefore] = useState<string>();
  const [training, setTraining] = useState(false);
  const model = useModel(training);
  const retrain = useRetrain();
  const trainedAt = model.data?.model?.trained_at;
  const done = training && trainedAt !== undefined && trainedAt !== before;
  if (done) setTraining(false);

  const start = () => {
    setBefore(trainedAt);
    retrain.mutate(undefined, { onSuccess: () => setTraining(true) });
  };
  return (
    <Loaded query={model} loading={<Skeletons shape="row" n={2} />}>
      {({ model }) => (
        <section className={styles.panel} aria-label="Model">
          {model ? (
            <Facts model={model} />
          ) : (
            <Notice tone="warning" title="The recommender is away, or has no model yet.">
              <p>The shop shows best sellers meanwhile.</p>
            </Notice>
          )}
          {retrain.isError && <Notice tone="error">{explain(retrain.error)}</Notice>}
          {training && (
            <div role="status">
              <p>Training…</p>
              <progress className={styles.progress} aria-label="Training" />
            </div>
          )}
          {retrain.isSuccess && !training && trainedAt !== before && (
            <Notice tone="success">The new model is in use.</Notice>
          )}
          <p>
            <button type="button" className="button" disabled={training || retrain.isPending} onClick={start}>
              Train a new model
            </button>
          </p>
        </section>
      )}
    </Loaded>
  );
}

function Facts({ model }: { model: NonNullable<ModelState['model']> }) {
  const facts = [
    ['Version', model.model_version],
    ['Trained', dateTime(model.trained_at)],
    ['Products', model.products.toLocaleString()],
    ['Words', model.terms.toLocaleString()],
    ['Interactions', model.interactions.toLocaleString()],
    ['Customers', model.users.toLocaleString()],
  ];
  return (
    <table className={styles.table}>
      <caption className="visually-hidden">The model in use</caption>
      <tbody>
        {facts.map(([name, value]) => (
          <tr key={name}>
            <th scope="row">{name}</th>
            <td>{value}</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}
