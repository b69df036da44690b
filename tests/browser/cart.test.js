// The cart: beside the page, at once, and the same in every tab.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { api, aProduct, Customer, DEVICES, held, launch } from './browser.js';

let browser;
before(async () => {
  browser = await launch();
});
after(() => browser?.close());

for (const [device, options] of DEVICES) {
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

  test(`a change shows on a ${device} before its answer, and is taken back where it is refused`, { timeout: 300_000 }, async () => {
    const product = await aProduct();
    const customer = await Customer.arrive(browser, options, [`503 /api/cart/items/${product.id}`]);
    const { page } = customer;
    await customer.putIntoCart(product, 1);
    await page.goto('/cart');
    const refusal = held();
    await page.route('**/api/cart/items/*', async (route) => {
      await refusal.answer;
      await route.fulfill({ status: 503, contentType: 'application/problem+json', body: '{}' });
    });
    await page.getByRole('button', { name: 'One more' }).click();
    await customer.cart(2).waitFor();
    refusal.release();
    await page.getByRole('alert').getByText('catching its breath').waitFor();
    await customer.cart(1).waitFor();
    await customer.leave();
  });

  test(`a double click takes one product out of the cart on a ${device}, not what slides into its place`, { timeout: 300_000 }, async () => {
    const { items } = await api('/api/products', { in_stock: true, limit: 100 });
    // Lines of one height, of which one follows in the other's place.
    const [first, second] = items.sort((a, b) => a.name.length - b.name.length);
    const customer = await Customer.arrive(browser, options);
    const { page } = customer;
    for (const product of [first, second]) await customer.putIntoCart(product, 1);
    await page.goto('/cart');
    const lines = page.getByRole('button', { name: /^Remove / });
    await lines.nth(1).waitFor();
    const deleted = [];
    page.on('request', (request) => {
      if (request.method() === 'DELETE') deleted.push(request.url());
    });
    const stays = page.getByRole('button', { name: await lines.nth(1).getAttribute('aria-label') });
    const place = await lines.first().boundingBox();
    await customer.clickTwice(lines.first(), customer.cart(1));
    const { y } = await stays.boundingBox();
    assert.ok(Math.abs(y - place.y) < place.height / 2, `${y} px is another place than ${place.y} px`);
    await customer.settled();
    await stays.waitFor();
    assert.equal(deleted.length, 1);
    // Whoever wants it to go too clicks once more.
    await stays.click();
    await page.getByText('Nothing in here yet').waitFor();
    await customer.leave();
  });

  test(`a cart that is full says so on a ${device}`, { timeout: 300_000 }, async () => {
    const { items } = await api('/api/products', { in_stock: true, limit: 100 });
    const [one, ...others] = items.slice(0, 51);
    const customer = await Customer.arrive(browser, options, [`422 /api/cart/items/${one.id}`]);
    const { page } = customer;
    await page.goto(`/products/${one.id}`);
    for (const { id } of others) await customer.call('PUT', `/api/cart/items/${id}`, { quantity: 1 });
    await page.getByRole('button', { name: 'Add to cart' }).click();
    await page.getByRole('alert').getByText('A cart holds at most 50 different products.').waitFor();
    await customer.leave();
  });

  test(`two tabs on a ${device} have one cart`, { timeout: 300_000 }, async () => {
    const product = await aProduct();
    const customer = await Customer.arrive(browser, options);
    const { page } = customer;
    await customer.putIntoCart(product, 1);
    const other = await customer.openTab();
    await other.page.goto(`/products/${product.id}`);
    await other.cart(1).waitFor();
    // Each adds to what there is, not to what it has last seen.
    await page.getByRole('button', { name: 'Add to cart' }).click();
    await customer.cart(2).waitFor();
    await other.page.getByRole('button', { name: 'Add to cart' }).click();
    await other.cart(3).waitFor();
    await page.goto('/cart');
    await customer.cart(3).waitFor();
    await other.leave();
    await customer.leave();
  });

  test(`two tabs at the checkout on a ${device} make one order`, { timeout: 300_000 }, async () => {
    const customer = await Customer.arrive(browser, options);
    await customer.goToCheckout(await aProduct());
    const second = await customer.openTab(['409 /api/orders']);
    const other = second.page;
    await other.goto('/checkout');
    await second.fillAddress();
    await customer.pay().click();
    await customer.page.getByRole('heading', { name: 'Thank you!' }).waitFor();
    // This tab has not heard of it.
    await second.pay().click();
    await other.getByText('Your cart is empty').waitFor();
    await other.getByRole('main').getByRole('link', { name: 'your orders' }).click();
    await other.getByRole('heading', { level: 1, name: 'Your orders' }).waitFor();
    await other.getByRole('main').getByText('Paid', { exact: true }).waitFor();
    assert.equal(await other.getByRole('main').getByRole('listitem').count(), 1);
    await second.leave();
    await customer.leave();
  });

  test(`the cart of a guest joins that of the account at the login on a ${device}`, { timeout: 300_000 }, async () => {
    const both = await aProduct();
    const other = (await api('/api/products', { in_stock: true, sort: 'name' })).items.find(({ id }) => id !== both.id);
    const customer = await Customer.arrive(browser, options);
    const { page } = customer;
    await customer.putIntoCart(both, 2);
    await page.goto('/register?next=/account');
    const { email, password } = await customer.register();
    await page.getByRole('button', { name: 'Log out', exact: true }).click();
    await customer.cart(0).waitFor();
    await customer.putIntoCart(both, 3);
    await customer.putIntoCart(other, 1);
    await customer.logIn(email, password, '/cart');
    await page.getByRole('heading', { level: 1, name: 'Your cart' }).waitFor();
    await customer.cart(6).waitFor();
    const quantity = ({ name }) => page.getByRole('main').getByRole('textbox', { name: `Quantity of ${name}` }).inputValue();
    assert.deepEqual([await quantity(both), await quantity(other)], ['5', '1']);
    await customer.leave();
  });
}
