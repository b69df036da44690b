import { expect, it } from 'vitest';
import { ProblemError } from '@/lib/http';
import { importRows, productOf, type Rejected, readRows } from './import-rows';

const HEADING = 'sku,name,description,category,tags,price_cents,stock\n';
const refused = (status: number, slug: string, extra = {}) =>
  new ProblemError({ type: `https://x/${slug}`, title: slug, status, ...extra }, 2_000);

it('reads a catalogue, whatever the order of its columns', () => {
  const [row] = readRows(
    'stock,name,sku,description,category,tags,price_cents\n3,Mug,M-1,"For tea, hot",Kitchen,a|b,1250\n',
  );
  expect(row && productOf(row)).toEqual({
    sku: 'M-1',
    name: 'Mug',
    description: 'For tea, hot',
    category: 'Kitchen',
    tags: ['a', 'b'],
    price_cents: 1250,
    stock: 3,
    image_url: null,
  });
});

it('says what is wrong with the file', () => {
  expect(() => readRows('')).toThrow('no column sku, name');
  expect(() => readRows('sku,name\n')).toThrow('no column description');
  expect(() => readRows(`colour,${HEADING}`)).toThrow('each once');
});

it('tells of every row that is not in the shop, and waits where it is busy', async () => {
  const rows = readRows(`${HEADING}a,A,,K,,1,1\nb,B,,K,,1.5,1\nc,C\nd,D,,K,,1,1\ne,E,,K,,1,1\nf,F,,K,,1,1\n`);
  const waits: number[] = [];
  let busy = 2;
  let outcome: [number, Rejected[]] = [0, []];
  await importRows(rows, {
    create: async ({ sku }) => {
      if (sku === 'd') throw refused(409, 'sku-taken');
      if (sku === 'e') throw refused(422, 'invalid', { errors: [{ field: 'name', message: 'is rude' }] });
      if (sku === 'f' && busy-- > 0) throw refused(429, 'too-many-requests');
    },
    pause: async (ms) => void waits.push(ms),
    onProgress: (done, rejected) => {
      outcome = [done, rejected];
    },
    signal: new AbortController().signal,
  });
  expect(outcome[0]).toBe(6);
  expect(outcome[1].map(({ row, reason }) => [row.number, reason])).toEqual([
    [3, 'price_cents is not a whole number'],
    [4, 'it has more or fewer fields than the first row'],
    [5, 'sku-taken'],
    [6, 'name is rude'],
  ]);
  expect(waits).toEqual([2_000, 2_000]);
});
