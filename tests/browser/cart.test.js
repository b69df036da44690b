// The cart: beside the page, at once, and the same in every tab.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { aProduct, Customer, DESKTOP, launch, PHONE } from './browser.js';

let browser;
before(async () => {
  browser = await launch();
});
after(() => browser?.close());

for (const [device, options] of [
  ['desktop', DESKTOP],
  ['phone', PHONE],
]) {
  test(`the cart opens beside the page on a ${device}`, { timeout: 300_000 }, async () => {
    const product = await aProduct();
    const customer = await Customer.arrive(browser, options);
    const { page } = customer;
    await customer.putIntoCart(product, 2);
    await customer.cart(2).click();
    const drawer = page.getByRole('dialog', { name: 'Your cart' });
    await drawer.getByRole('button', { name: 'One more' }).click();
    await drawer.getByRole('textbox', { name: `Quantity of ${product.name}` }).waitFor();
    await customer.cart(3).waitFor({ state: 'attached' });
    await customer.look('drawer');
    // Escape closes it, and the focus is where it was.
    await page.keyboard.press('Escape');
    await drawer.waitFor({ state: 'detached' });
    const focused = await page.evaluate(() => document.activeElement?.getAttribute('aria-label'));
    assert.equal(focused, 'Cart, 3 items');
    await customer.cart(3).click();
    await drawer.getByRole('link', { name: 'View cart' }).click();
    await page.getByRole('heading', { level: 1, name: 'Your cart' }).waitFor();
    await drawer.waitFor({ state: 'detached' });
    await page.getByRole('button', { name: `Remove ${product.name}` }).click();
    await page.getByText('Nothing in here yet').waitFor();
    await customer.look('empty-cart');
    await customer.leave();
  });
}

test('a change shows before the shop has answered, and is taken back where it is refused', { timeout: 300_000 }, async () => {
  const product = await aProduct();
  const customer = await Customer.arrive(browser, DESKTOP, ['503 /api/cart/items/' + product.id]);
  const { page } = customer;
  await customer.putIntoCart(product, 1);
  await page.goto('/cart');
  let answer;
  const held = new Promise((resolve) => {
    answer = resolve;
  });
  await page.route('**/api/cart/items/*', async (route) => {
    await held;
    await route.fulfill({ status: 503, contentType: 'application/problem+json', body: '{}' });
  });
  await page.getByRole('button', { name: 'One more' }).click();
  await customer.cart(2).waitFor();
  answer();
  await page.getByRole('alert').getByText('catching its breath').waitFor();
  await customer.cart(1).waitFor();
  await customer.leave();
});

test('two tabs have one cart', { timeout: 300_000 }, async () => {
  const product = await aProduct();
  const customer = await Customer.arrive(browser, DESKTOP);
  const { page, context } = customer;
  await customer.putIntoCart(product, 1);
  const other = await context.newPage();
  await other.goto(`/products/${product.id}`);
  await other.getByRole('link', { name: 'Cart, 1 item' }).waitFor();
  // Each adds to what there is, not to what it has last seen.
  await page.getByRole('button', { name: 'Add to cart' }).click();
  await customer.cart(2).waitFor();
  await other.getByRole('button', { name: 'Add to cart' }).click();
  await other.getByRole('link', { name: 'Cart, 3 items' }).waitFor();
  await page.goto('/cart');
  await customer.cart(3).waitFor();
  await customer.leave();
});

test('two tabs at the checkout make one order', { timeout: 300_000 }, async () => {
  const customer = await Customer.arrive(browser, DESKTOP);
  const { page, context } = customer;
  await customer.putIntoCart(await aProduct(), 1);
  await page.goto('/register?next=/checkout');
  await customer.register();
  await page.waitForURL('**/checkout');
  await customer.fillAddress();
  const other = await context.newPage();
  await other.goto('/checkout');
  const second = new Customer(context, other, ['409 /api/orders']);
  await second.fillAddress();
  await customer.pay().click();
  await page.getByRole('heading', { name: 'Thank you!' }).waitFor();
  // This tab has not heard of it.
  await second.pay().click();
  await other.getByText('Your cart is empty').waitFor();
  await other.getByRole('main').getByRole('link', { name: 'your orders' }).click();
  await other.getByRole('heading', { level: 1, name: 'Your orders' }).waitFor();
  await other.getByRole('main').getByText('Paid', { exact: true }).waitFor();
  assert.equal(await other.getByRole('main').getByRole('listitem').count(), 1);
  await second.leave();
});
