import { expect, it } from 'vitest';
import { ConnectionError, ProblemError } from '@/lib/http';
import { batchesOf, importRows, type Progress, productOf, readRows } from './import-rows';

const HEADING = 'sku,name,description,category,tags,price_cents,stock\n';

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
  const failures = [
    new ProblemError({ type: 'https://x/too-many-requests', title: 'too many', status: 429 }, 2_000),
    new ConnectionError('gone'),
  ];
  let outcome: Progress | undefined;
  await importRows(rows, {
    send: async (items) => {
      expect(items.map(({ sku }) => sku)).toEqual(['a', 'd', 'e', 'f']);
      const failure = failures.shift();
      if (failure) throw failure;
      const errors = (field: string, message: string) => [{ field, message }];
      return {
        created: 1,
        unchanged: 1,
        refused: [
          { index: 1, errors: errors('sku', 'belongs to another product already') },
          { index: 2, errors: errors('name', 'is rude') },
        ],
      };
    },
    pause: async (ms) => void waits.push(ms),
    onProgress: (progress) => {
      outcome = progress;
    },
    signal: new AbortController().signal,
  });
  expect(outcome).toMatchObject({ done: 6, created: 1, unchanged: 1 });
  expect(outcome?.rejected.map(({ row, reason }) => [row.number, reason])).toEqual([
    [3, 'price_cents is not a whole number'],
    [4, 'it has more or fewer fields than the first row'],
    [5, 'sku belongs to another product already'],
    [6, 'name is rude'],
  ]);
  expect(waits).toEqual([2_000, 2_000]);
});

it('ends where the shop takes no more, and stops where it is told to', async () => {
  const rows = readRows(HEADING + 'a,A,,K,,1,1\n'.repeat(150));
  const told = new AbortController();
  const done: number[] = [];
  const hooks = {
    pause: async () => {},
    onProgress: (progress: Progress) => void done.push(progress.done),
    signal: told.signal,
  };
  const created = async (items: unknown[]) => ({ created: items.length, unchanged: 0, refused: [] });
  const refused = new ProblemError({ type: 'https://x/forbidden', title: 'no', status: 403 });
  await expect(importRows(rows, { ...hooks, send: () => Promise.reject(refused) })).rejects.toBe(refused);
  expect(done).toEqual([]);
  await importRows(rows, {
    ...hooks,
    send: async (items) => {
      told.abort();
      return created(items);
    },
  });
  expect(done).toEqual([100]);
});

it('sends as much at once as the shop takes', () => {
  const text = 'x'.repeat(3_000);
  const long = `long,L,${'x'.repeat(70_000)},K,,1,1\n`;
  const rows = readRows(HEADING + 'a,A,,K,,1,1\n'.repeat(101) + long + `b,B,${text},K,,1,1\n`.repeat(30));
  const batches = [...batchesOf(rows)];
  expect(batches.flatMap(({ rejected }) => rejected.map(({ reason }) => reason))).toEqual(['it is too long']);
  const sent = batches.map(({ sent }) => sent.map(({ body }) => body));
  expect(sent.map((bodies) => bodies.length)).toEqual([100, 20, 11]);
  for (const bodies of sent) expect(JSON.stringify({ items: bodies }).length).toBeLessThan(64 * 1024);
});
