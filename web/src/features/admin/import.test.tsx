import { screen, within } from '@testing-library/react';
import userEvent from '@testing-library/user-event';
import { expect, it, vi } from 'vitest';
import type { NewProductBody } from '@/api/schema';
import { parseCsv } from '@/lib/csv';
import { json, serve } from '@/test/api';
import { renderPart } from '@/test/render';
import { Import } from './import';

const HEADING = 'sku,name,description,category,tags,price_cents,stock';
const RUDE = 'name is rude, "very"';

it('saves every refused row with its reason, as a file that can be imported again', async () => {
  const saved: Blob[] = [];
  vi.spyOn(URL, 'createObjectURL').mockImplementation((file) => {
    saved.push(file as Blob);
    return 'blob:refused';
  });
  vi.spyOn(HTMLAnchorElement.prototype, 'click').mockImplementation(() => {});
  const calls = serve({
    'POST /api/products/import': ({ body }) => {
      const { items } = body as { items: NewProductBody[] };
      const rude = items.flatMap(({ name }, index) => (name === 'Rude' ? [index] : []));
      const [field = '', ...message] = RUDE.split(' ');
      return json({
        created: items.length - rude.length,
        unchanged: 0,
        refused: rude.map((index) => ({ index, errors: [{ field, message: message.join(' ') }] })),
      });
    },
  });
  renderPart(<Import />);
  const choose = async (text: string) =>
    userEvent.upload(
      screen.getByLabelText('Choose a file'),
      new File([text], 'cups.csv', { type: 'text/csv' }),
    );

  const rude = Array.from({ length: 150 }, (_, n) => `${n},Rude,,Kitchen,,1,1`);
  await choose([HEADING, 'dear,Dear,,Kitchen,,nine,1', 'cup,Cup,,Kitchen,,1,1', ...rude].join('\n'));
  await screen.findByText('1 product imported, 151 refused.');
  screen.getByText(/^The first 100 are shown/);
  expect(within(screen.getByRole('table')).getAllByRole('row')).toHaveLength(1 + 100);
  await userEvent.click(screen.getByRole('button', { name: 'Save the refused rows' }));
  const text = (await saved[0]?.text()) ?? '';
  const [heading, ...rows] = parseCsv(text);
  expect(heading?.at(-1)).toBe('reason');
  expect(rows.map((row) => [row[0], row.at(-1)])).toEqual([
    ['dear', 'price_cents is not a whole number'],
    ...rude.map((_, n) => [`${n}`, RUDE]),
  ]);

  // Mended, it goes into the shop as it is.
  await choose(text.replace('nine', '9').replaceAll(',Rude,', ',Kind,'));
  await screen.findByText('151 products imported, 0 refused.');
  const sent = calls.flatMap(({ body }) => (body as { items: NewProductBody[] }).items);
  expect(sent.at(-1)).toEqual({
    sku: '149',
    name: 'Kind',
    description: '',
    category: 'Kitchen',
    tags: [],
    price_cents: 1,
    stock: 1,
    image_url: null,
  });
});
