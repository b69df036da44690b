import { act, fireEvent, screen, waitFor } from '@testing-library/react';
import userEvent from '@testing-library/user-event';
import { expect, it, vi } from 'vitest';
import type { Suggestion } from '@/api/schema';
import { json, product, serve } from '@/test/api';
import { renderPart } from '@/test/render';
import { SearchBox } from './search-box';

const mug = product();
const kitchen: Suggestion = { kind: 'category', text: 'Kitchen' };
const stoneware: Suggestion = { kind: 'product', product_id: mug.id, text: mug.name };

function start(path = '/') {
  const calls = serve({ 'GET /api/products/suggestions': () => json({ items: [kitchen, stoneware] }) });
  const router = renderPart(<SearchBox />, path);
  const box = screen.getByRole<HTMLInputElement>('combobox', { name: 'Search products' });
  const address = () => `${router.state.location.pathname}${router.state.location.search}`;
  return { box, router, address, asked: () => calls.map((call) => call.path) };
}

const options = () => screen.findAllByRole('option', {}, { timeout: 4_000 });
/** Writes at once: on a slow machine single keys would be several questions. */
async function write(box: HTMLElement, text: string) {
  await userEvent.click(box);
  await userEvent.paste(text);
}
/** What is chosen, as the field says and as the list shows. */
function chosen(box: HTMLElement) {
  const id = box.getAttribute('aria-activedescendant');
  const shown = screen.queryByRole('option', { selected: true });
  expect(shown?.id ?? null).toBe(id);
  return shown?.textContent;
}

it('asks once for what was typed at once, and says what it found', async () => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
  const { box, asked } = start();
  const pass = (ms: number) => act(() => vi.advanceTimersByTimeAsync(ms));
  for (const value of [' m', ' mu', ' mug']) {
    fireEvent.change(box, { target: { value } });
    await pass(100);
  }
  expect([box.getAttribute('aria-expanded'), asked()]).toEqual(['false', []]);
  await pass(100);
  // The answer is there, and shows.
  await pass(100);
  expect(screen.getAllByRole('option').map((option) => option.textContent)).toEqual([
    'KitchenCategory',
    mug.name,
  ]);
  expect(box.getAttribute('aria-expanded')).toBe('true');
  expect(screen.getByRole('status').textContent).toBe('2 suggestions; the arrow keys choose one');
  expect(asked()).toEqual(['/api/products/suggestions?q=mug']);
});

it('asks nothing about a search that was made when the box is cleared or written in again', async () => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
  const { box, asked } = start();
  const pass = () => act(() => vi.advanceTimersByTimeAsync(200));
  const search = async (value: string) => {
    fireEvent.change(box, { target: { value } });
    fireEvent.click(screen.getByRole('button', { name: 'Search' }));
    await pass();
  };
  await search('mug');
  fireEvent.change(box, { target: { value: '' } });
  await pass();
  await search('mug');
  fireEvent.change(box, { target: { value: 'bowl' } });
  await pass();
  expect(asked()).toEqual(['/api/products/suggestions?q=bowl']);
});

it('asks nothing for blanks', async () => {
  const { box, address, asked } = start();
  await userEvent.type(box, '   {Enter}');
  expect([address(), asked()]).toEqual(['/products', []]);
});

it('goes round by the arrows, over the text itself', async () => {
  const { box } = start();
  await write(box, 'mug');
  await options();
  const seen = [];
  for (const key of ['ArrowDown', 'ArrowDown', 'ArrowDown', 'ArrowUp', 'ArrowUp', 'ArrowUp']) {
    await userEvent.keyboard(`{${key}}`);
    seen.push(chosen(box));
  }
  const [first, second] = ['KitchenCategory', mug.name];
  expect(seen).toEqual([first, second, undefined, second, first, undefined]);
});

it('takes the chosen one, a product or a category', async () => {
  const { box, address } = start();
  await write(box, 'mug');
  await options();
  await userEvent.keyboard('{ArrowUp}{Enter}');
  expect(address()).toBe(`/products/${mug.id}`);
  await write(box, 'kit');
  await options();
  await userEvent.keyboard('{ArrowDown}{Enter}');
  expect(address()).toBe('/products?category=Kitchen');
});

it('takes the one that is clicked, though the field would lose the focus', async () => {
  const { box, address } = start();
  await write(box, 'mug');
  await options();
  await userEvent.click(screen.getByRole('option', { name: mug.name }));
  expect(address()).toBe(`/products/${mug.id}`);
});

it('closes by Escape, and when it is left', async () => {
  const { box, address } = start();
  await write(box, 'mug');
  await options();
  await userEvent.keyboard('{ArrowDown}{Escape}');
  expect([screen.queryByRole('option'), chosen(box), box.value]).toEqual([null, undefined, 'mug']);
  await userEvent.keyboard('{ArrowDown}');
  await options();
  await userEvent.tab();
  expect(screen.queryByRole('option')).toBeNull();
  await userEvent.type(box, '{Enter}');
  expect(address()).toBe('/products?q=mug');
});

it('keeps the other filters on the page of the catalogue, and only there', async () => {
  const { box, router, address } = start('/products?category=Kitchen&sort=price');
  await userEvent.type(box, ' mug {Enter}');
  expect(address()).toBe('/products?q=mug&category=Kitchen&sort=price');
  await act(() => router.navigate('/cart?category=Kitchen'));
  await userEvent.type(box, 'mug{Enter}');
  expect(address()).toBe('/products?q=mug');
});

it('drops an order by relevance with the search that it was for', async () => {
  const { box, address } = start('/products?q=mug&sort=relevance');
  await userEvent.clear(box);
  await userEvent.type(box, '{Enter}');
  expect(address()).toBe('/products');
});

it('shows what the address searches for, also after "back"', async () => {
  const { box, router } = start('/products?q=mug');
  expect(box.value).toBe('mug');
  await userEvent.type(box, ' of tea{Enter}');
  expect(box.value).toBe('mug of tea');
  await act(() => router.navigate(-1));
  await waitFor(() => expect(box.value).toBe('mug'));
  await act(() => router.navigate('/cart'));
  expect(box.value).toBe('');
});
