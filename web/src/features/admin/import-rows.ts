import type { Imported, NewProductBody } from '@/api/schema';
import { parseCsv, writeCsv } from '@/lib/csv';
import { isTransient, ProblemError } from '@/lib/http';
import { tagsOf } from './product-fields';

/** The columns of a catalogue, as `shopmicro-backend export catalogue` writes them; the last may be left out. */
export const COLUMNS = [
  'sku',
  'name',
  'description',
  'category',
  'tags',
  'price_cents',
  'stock',
  'image_url',
] as const;

type Column = (typeof COLUMNS)[number];

/** What a file of refused rows says of each besides. It may stay there when the file is imported again. */
const REASON = 'reason';

/** A row of the file: its number as spreadsheets count, and what it says. */
export interface Row {
  number: number;
  fields: Partial<Record<Column, string>>;
  /** True where it has as many fields as the heading. */
  whole: boolean;
}

/** A row that is not in the shop, and why. */
export interface Rejected {
  row: Row;
  reason: string;
}

/** The rows of a catalogue below its heading. */
export function readRows(text: string): Row[] {
  const [heading = [], ...records] = parseCsv(text);
  const columns = heading.map((name) =>
    [...COLUMNS, REASON].find((known) => known === name.trim().toLowerCase()),
  );
  const missing = COLUMNS.filter((name) => name !== 'image_url' && !columns.includes(name));
  if (missing.length > 0) throw new SyntaxError(`the first row has no column ${missing.join(', ')}`);
  if (columns.includes(undefined) || new Set(columns).size < columns.length) {
    throw new SyntaxError(`the columns are ${COLUMNS.join(', ')}, each once`);
  }
  return records.map((record, index) => ({
    number: index + 2,
    fields: Object.fromEntries(columns.map((name, at) => [name, record[at]])),
    whole: record.length === columns.length,
  }));
}

/** Rows that were refused, as a file that can be mended and imported again. */
export function writeRejected(rejected: Rejected[]): string {
  return writeCsv([
    [...COLUMNS, REASON],
    ...rejected.map(({ row, reason }) => [...COLUMNS.map((column) => row.fields[column] ?? ''), reason]),
  ]);
}

/** The product that a row describes; what else is wrong with it is the shop's to say. */
export function productOf({ fields, whole }: Row): NewProductBody {
  if (!whole) throw new SyntaxError('it has more or fewer fields than the first row');
  const { sku = '', name = '', description = '', category = '', tags = '', image_url } = fields;
  return {
    sku,
    name,
    description,
    category,
    // A comma would end the field: the format has them between bars.
    tags: tagsOf(tags.replaceAll('|', ',')),
    price_cents: integer('price_cents', fields.price_cents),
    stock: integer('stock', fields.stock),
    image_url: image_url || null,
  };
}

function integer(name: Column, text = ''): number {
  if (!/^\d{1,9}$/.test(text)) throw new SyntaxError(`${name} is not a whole number`);
  return Number(text);
}

/** What the API takes at once. */
const BATCH_ROWS = 100;
/** Less than a request may hold, which is 64 KiB. */
const BATCH_BYTES = 60_000;

/** Rows that go to the shop together, and those that need not go. */
interface Batch {
  sent: { row: Row; body: NewProductBody }[];
  rejected: Rejected[];
}

/** The rows in parts that the API takes. */
export function* batchesOf(rows: Row[]): Generator<Batch> {
  let batch: Batch = { sent: [], rejected: [] };
  let bytes = 0;
  for (const row of rows) {
    try {
      const body = productOf(row);
      const size = new Blob([JSON.stringify(body)]).size + 1;
      if (size > BATCH_BYTES) throw new SyntaxError('it is too long');
      if (batch.sent.length === BATCH_ROWS || bytes + size > BATCH_BYTES) {
        yield batch;
        batch = { sent: [], rejected: [] };
        bytes = 0;
      }
      batch.sent.push({ row, body });
      bytes += size;
    } catch (error) {
      if (!(error instanceof SyntaxError)) throw error;
      batch.rejected.push({ row, reason: error.message });
    }
  }
  if (batch.sent.length + batch.rejected.length > 0) yield batch;
}

/** How far an import is. */
export interface Progress {
  done: number;
  created: number;
  /** There already, and the same. */
  unchanged: number;
  rejected: Rejected[];
}

interface Hooks {
  send: (items: NewProductBody[]) => Promise<Imported>;
  /** Waits before a batch is tried again. */
  pause: (ms: number) => Promise<void>;
  onProgress: (progress: Progress) => void;
  signal: AbortSignal;
}

/** How often a batch is tried where the shop is busy or away. */
const TRIES = 6;

/**
 * Sends the rows batch by batch, and tells what became of each. A batch whose answer is lost is sent again, which is safe:
 * what it has created is there already then. Throws where the shop takes no more; what was done until then is done.
 */
export async function importRows(rows: Row[], { send, pause, onProgress, signal }: Hooks): Promise<void> {
  let progress: Progress = { done: 0, created: 0, unchanged: 0, rejected: [] };
  for (const { sent, rejected } of batchesOf(rows)) {
    if (signal.aborted) return;
    const bodies = sent.map(({ body }) => body);
    const outcome = bodies.length > 0 ? await patiently(bodies, send, pause) : undefined;
    const refused = outcome?.refused.flatMap(({ index, errors }) => {
      const row = sent[index]?.row;
      const reason = errors.map(({ field, message }) => `${field} ${message}`).join('; ');
      return row ? { row, reason } : [];
    });
    const all = [...rejected, ...(refused ?? [])].sort((a, b) => a.row.number - b.row.number);
    progress = {
      done: progress.done + sent.length + rejected.length,
      created: progress.created + (outcome?.created ?? 0),
      unchanged: progress.unchanged + (outcome?.unchanged ?? 0),
      rejected: [...progress.rejected, ...all],
    };
    onProgress(progress);
  }
}

async function patiently(
  items: NewProductBody[],
  send: Hooks['send'],
  pause: Hooks['pause'],
): Promise<Imported> {
  for (let tries = 1; ; tries += 1) {
    try {
      return await send(items);
    } catch (error) {
      if (!isTransient(error) || tries === TRIES) throw error;
      await pause((error instanceof ProblemError && error.retryAfterMs) || 500 * 2 ** tries);
    }
  }
}
