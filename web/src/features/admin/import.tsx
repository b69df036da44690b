import { useQueryClient } from '@tanstack/react-query';
import { useEffect, useRef, useState } from 'react';
import { Notice } from '@/components/notice';
import { count, number } from '@/lib/format';
import { explain } from '@/lib/http';
import { readAnew } from '@/lib/query';
import styles from './admin.module.css';
import { sendProducts } from './api';
import { COLUMNS, importRows, type Progress, type Row, readRows, writeRejected } from './import-rows';

/** More is for the command line. */
const MAX_ROWS = 5_000;

interface Run extends Progress {
  name: string;
  total: number;
  ended: boolean;
}

/** Puts the products of a file into the shop, batch by batch, and tells which rows were refused and why. */
export function Import() {
  const client = useQueryClient();
  const [run, setRun] = useState<Run>();
  const [trouble, setTrouble] = useState<string>();
  const stop = useRef<AbortController>(undefined);
  useEffect(() => () => stop.current?.abort(), []);

  const start = async (file: File) => {
    let rows: Row[];
    setTrouble(undefined);
    setRun(undefined);
    try {
      rows = readRows(await file.text());
      if (rows.length > MAX_ROWS) throw new SyntaxError(`it has more than ${count(MAX_ROWS, 'row')}`);
    } catch (error) {
      setTrouble(`${file.name} cannot be read: ${error instanceof Error ? error.message : error}.`);
      return;
    }
    stop.current = new AbortController();
    const begun = { name: file.name, total: rows.length, ended: false };
    setRun({ ...begun, done: 0, created: 0, unchanged: 0, rejected: [] });
    try {
      await importRows(rows, {
        send: sendProducts,
        pause: (ms) => new Promise((resolve) => setTimeout(resolve, ms)),
        onProgress: (progress) => setRun({ ...begun, ...progress }),
        signal: stop.current.signal,
      });
    } catch (error) {
      setTrouble(`${explain(error)} What is imported stays; choose the file again to go on.`);
    }
    setRun((now) => now && { ...now, ended: true });
    readAnew(client);
  };

  const running = run !== undefined && !run.ended;
  return (
    <section className={styles.panel} aria-label="Import">
      <p className="muted">
        A CSV file whose first row is <code>{COLUMNS.join(', ')}</code> (the last may be left out). Tags stand
        between bars, prices are in pence. Each row makes a new product; one whose SKU another product has is
        refused. The same file may be imported again.
      </p>
      <p>
        <label className={`button ${running ? 'quiet' : ''}`}>
          Choose a file
          <input
            type="file"
            accept=".csv,text/csv"
            className="visually-hidden"
            disabled={running}
            onChange={(event) => {
              const [file] = event.target.files ?? [];
              // The same file may be chosen again once it is mended.
              if (file) void start(file).finally(() => (event.target.value = ''));
            }}
          />
        </label>
      </p>
      {trouble && <Notice tone="error">{trouble}</Notice>}
      {run && (
        <>
          <progress
            className={styles.progress}
            aria-label={`Import of ${run.name}`}
            max={run.total}
            value={run.done}
          />
          {running ? (
            <p className={styles.bar}>
              <span>
                {number(run.done)} of {count(run.total, 'row')}
              </span>
              <button type="button" className="button quiet" onClick={() => stop.current?.abort()}>
                Stop
              </button>
            </p>
          ) : (
            <Notice tone={run.rejected.length > 0 ? 'warning' : 'success'}>
              {count(run.created, 'product')} imported
              {run.unchanged > 0 && `, ${number(run.unchanged)} there already`}, {number(run.rejected.length)}{' '}
              refused
              {run.done < run.total && `, ${number(run.total - run.done)} not tried`}.
            </Notice>
          )}
          {run.rejected.length > 0 && <Report run={run} />}
        </>
      )}
    </section>
  );
}

/** Enough to see what is wrong; the saved file has them all. */
const SHOWN = 100;

function Report({ run }: { run: Run }) {
  return (
    <>
      <div className={styles.scroll}>
        <table className={styles.table}>
          <caption className="visually-hidden">Rows that were refused</caption>
          <thead>
            <tr>
              <th scope="col">Row</th>
              <th scope="col">SKU</th>
              <th scope="col">Why</th>
            </tr>
          </thead>
          <tbody>
            {run.rejected.slice(0, SHOWN).map(({ row, reason }) => (
              <tr key={row.number}>
                <td>{row.number}</td>
                <td>{row.fields.sku}</td>
                <td>{reason}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
      {run.ended && run.rejected.length > SHOWN && (
        <p className="muted">
          The first {SHOWN} are shown; the saved file has them all, each with its reason.
        </p>
      )}
      {run.ended && (
        <p>
          <button type="button" className="button quiet" onClick={() => save(run)}>
            Save the refused rows
          </button>
        </p>
      )}
    </>
  );
}

function save({ name, rejected }: Run) {
  const link = document.createElement('a');
  link.href = URL.createObjectURL(new Blob([writeRejected(rejected)], { type: 'text/csv' }));
  link.download = name.replace(/(\.csv)?$/i, '-refused.csv');
  link.click();
  URL.revokeObjectURL(link.href);
}
