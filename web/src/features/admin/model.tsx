import { useState } from 'react';
import type { ModelState, Quality, Stage } from '@/api/schema';
import { Loaded } from '@/components/loaded';
import { Notice } from '@/components/notice';
import { Skeletons } from '@/components/skeleton';
import { count, dateTime, number } from '@/lib/format';
import { explain } from '@/lib/http';
import styles from './admin.module.css';
import { useModel, useRetrain } from './api';

/** What a training does, one after the other. */
const STAGES = { reading: 'Reading the catalogue', fitting: 'Computing', writing: 'Writing it to disk' };

/** The model behind the recommendations, and how to have another. */
export function Model() {
  // When the model was trained that the next one shall follow; it is there once another time is told.
  const [before, setBefore] = useState<string>();
  const [training, setTraining] = useState(false);
  const [begun, setBegun] = useState(false);
  const model = useModel(training);
  const retrain = useRetrain();
  const trainedAt = model.data?.model?.trained_at ?? undefined;
  const now = model.data?.model?.training;
  const stage = now?.stage ?? 'idle';
  const replaced = trainedAt !== undefined && trainedAt !== before;
  if (training && stage !== 'idle' && !begun) setBegun(true);
  // One that has just been asked for may not have begun yet. One that ran already may be over by now, and one that a restart
  // of the recommender ended leaves no outcome.
  const ended = replaced || now?.last === 'failed' || begun || retrain.data?.status === 'already-running';
  if (training && now?.stage === 'idle' && ended) setTraining(false);

  const start = () => {
    setBefore(trainedAt);
    setBegun(false);
    retrain.mutate(undefined, { onSuccess: () => setTraining(true) });
  };
  return (
    <Loaded query={model} loading={<Skeletons shape="row" n={2} />}>
      {({ model }) => (
        <section className={styles.panel} aria-label="Model">
          {model?.trained_at ? (
            <Facts model={model} trainedAt={model.trained_at} />
          ) : (
            <Notice
              tone="warning"
              title={model ? 'The recommender has no model yet.' : 'The recommender is away.'}
            >
              <p>The shop shows best sellers meanwhile.</p>
            </Notice>
          )}
          {retrain.isError && <Notice tone="error">{explain(retrain.error)}</Notice>}
          {(training || stage !== 'idle') && <Progress stage={stage} />}
          {retrain.isSuccess && !training && (
            <Notice tone={replaced ? 'success' : 'error'}>
              {replaced
                ? 'The new model is in use.'
                : `${now?.last === 'failed' ? 'The training failed' : 'No new model came of it'}. The model before it goes on answering.`}
            </Notice>
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

function Progress({ stage }: { stage: Stage }) {
  const stages = Object.keys(STAGES);
  return (
    <div role="status">
      <p>{stage === 'idle' ? 'Training' : STAGES[stage]}…</p>
      <progress
        className={styles.progress}
        aria-label="Training"
        max={stages.length}
        value={stages.indexOf(stage) + 0.5}
      />
    </div>
  );
}

function Facts({ model, trainedAt }: { model: NonNullable<ModelState['model']>; trainedAt: string }) {
  const facts = [
    ['Version', model.model_version],
    ['Trained', dateTime(trainedAt)],
    ['Products', number(model.products)],
    ['Words', number(model.terms)],
    ['Interactions', number(model.interactions)],
    ['Customers', number(model.users)],
    ['Quality', quality(model.quality)],
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

/** What the recommendations are worth, in words. */
function quality(measured: Quality | null | undefined): string {
  if (!measured) return 'Not measured yet: it needs customers who bought more than one product';
  const percent = number(Math.round(measured.hit_rate * 1000) / 10);
  const customers = count(measured.customers, 'customer was', 'customers were');
  return `${percent}% of ${customers} shown among ten what they bought next`;
}
