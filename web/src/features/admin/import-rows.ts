import type { NewProductBody } from '@/api/schema';
import { parseCsv } from '@/lib/csv';
import { explain, fieldErrors, ProblemError } from '@/lib/http';
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
  const columns = heading.map((name) => COLUMNS.find((known) => known === name.trim().toLowerCase()));
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

/** Why a row was refused, for a person. */
export function reasonOf(error: unknown): string {
  if (error instanceof SyntaxError) return error.message;
  const fields = fieldErrors(error);
  if (fields.length > 0) return fields.map(({ field, message }) => `${field} ${message}`).join('; ');
  return error instanceof ProblemError ? error.problem.title : explain(error);
}

interface Hooks {
  create: (body: NewProductBody) => Promise<unknown>;
  /** Waits before a row is tried again. */
  pause: (ms: number) => Promise<void>;
  onProgress: (done: number, rejected: Rejected[]) => void;
  signal: AbortSignal;
}

/** How often a row is tried where the shop is busy or away. */
const TRIES = 5;

/** Creates the products one after the other, so that each row has its own outcome, and waits where the shop asks for it. */
export async function importRows(rows: Row[], { create, pause, onProgress, signal }: Hooks): Promise<void> {
  const rejected: Rejected[] = [];
  for (const [index, row] of rows.entries()) {
    if (signal.aborted) return;
    try {
      await patiently(productOf(row), create, pause);
    } catch (error) {
      rejected.push({ row, reason: reasonOf(error) });
    }
    onProgress(index + 1, [...rejected]);
  }
}

async function patiently(
  body: NewProductBody,
  create: Hooks['create'],
  pause: Hooks['pause'],
): Promise<void> {
  for (let tries = 1; ; tries += 1) {
    try {
      await create(body);
      return;
    } catch (error) {
      // Any other failure leaves open whether it was created, and is told.
      const busy = error instanceof ProblemError && (error.status === 429 || error.status === 503);
      if (!busy || tries === TRIES) throw error;
      await pause(error.retryAfterMs ?? 1_000);
    }
  }
}
