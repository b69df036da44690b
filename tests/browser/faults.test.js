// What a customer sees when something goes wrong between the browser and the shop.

import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { resolve } from 'node:path';
import { after, before, test } from 'node:test';
import { promisify } from 'node:util';
import { aProduct, Customer, DEVICES, launch } from './browser.js';

const STACK = resolve(import.meta.dirname, '../..', process.env.STACK ?? 'target/debug/stack');

/** Breaks the stack around the tests, or repairs it: `stack fault`. */
const fault = (what, component) => promisify(execFile)(STACK, ['fault', what, component]);

let browser;
before(async () => {
  browser = await launch();
});
after(() => browser?.close());

/** A customer at the checkout with a filled form. */
async function atCheckout(options, expected = []) {
  const customer = await Customer.arrive(browser, options, expected);
  await customer.goToCheckout(await aProduct());
  return customer;
}

async function orders(customer) {
  await customer.page.goto('/orders');
  const list = customer.page.getByRole('main').getByRole('listitem');
  await list.first().waitFor();
  return list.count();
}

/** How often the page is loaded from now on. */
function loadsOf(page) {
  const loads = [];
  page.on('request', (request) => {
    if (request.isNavigationRequest()) loads.push(request.url());
  });
  return loads;
}

for (const [device, options] of DEVICES) {
  test(`a page recovers by itself on a ${device} when the shop returns`, { timeout: 300_000 }, async () => {
    const customer = await Customer.arrive(browser, options, ['no answer']);
    const { page } = customer;
    await page.route('**/api/**', (route) => route.abort());
    await page.goto('/products');
    await page.getByText('We cannot reach the shop just now.').first().waitFor();
    await page.unroute('**/api/**');
    await page.getByRole('article').first().waitFor();
    await customer.leave();
  });

  test(`a double click makes one order on a ${device}`, { timeout: 300_000 }, async () => {
    const customer = await atCheckout(options);
    await customer.pay().dblclick();
    await customer.page.getByRole('heading', { name: 'Thank you!' }).waitFor();
    assert.equal(await orders(customer), 1);
    await customer.leave();
  });

  test(`a ${device} without a network is told so, and the visit goes on when it is back`, { timeout: 300_000 }, async () => {
    const customer = await Customer.arrive(browser, options, ['no answer']);
    const { page, context } = customer;
    await page.goto('/');
    await page.getByRole('article').first().waitFor();
    await customer.settled();
    const top = () => page.getByRole('heading', { level: 1 }).boundingBox();
    const before = await top();
    await context.setOffline(true);
    await page.getByRole('status').getByText('You are offline.').waitFor();
    // The page does not move for it, and everybody can read it.
    assert.deepEqual(await top(), before);
    await customer.look('offline');
    await page.getByRole('link', { name: 'Shop', exact: true }).click();
    await page.getByText('We cannot reach the shop just now.').first().waitFor();
    await customer.judge('unreachable');
    await context.setOffline(false);
    await page.getByText('You are offline.').waitFor({ state: 'detached' });
    await page.getByRole('article').first().waitFor();
    await customer.leave();
  });

  test(`the shop survives scripts that do not come on a ${device}`, { timeout: 300_000 }, async () => {
    const product = await aProduct();
    const customer = await Customer.arrive(browser, options, ['no answer']);
    const { page, context } = customer;
    await customer.putIntoCart(product, 1);
    await customer.settled();
    const loads = loadsOf(page);

    // Without a network, neither the drawer comes nor the page in its place; the rest of the shop stays.
    await context.setOffline(true);
    await customer.cart(1).click();
    await page.getByRole('heading', { level: 1, name: 'This page has not come' }).waitFor();
    assert.equal(new URL(page.url()).pathname, '/cart');
    await page.getByRole('link', { name: 'ShopMicro, home' }).click();
    await page.getByRole('heading', { level: 1, name: 'Good things, a few of each.' }).waitFor();
    await customer.cart(1).click();
    await page.getByRole('heading', { level: 1, name: 'This page has not come' }).waitFor();
    assert.deepEqual(loads, []);
    await context.setOffline(false);
    await page.getByRole('button', { name: `Remove ${product.name}` }).waitFor();
    assert.deepEqual(loads, []);

    // The drawer is not lost for good either.
    await page.getByRole('link', { name: 'ShopMicro, home' }).click();
    await customer.cart(1).click();
    await page.getByRole('dialog', { name: 'Your cart' }).getByRole('button', { name: 'One more' }).waitFor();
    await customer.leave();
  });

  test(`a visit to a ${device} without its first script says so and can be tried again`, { timeout: 300_000 }, async () => {
    const customer = await Customer.arrive(browser, options, ['no answer']);
    const { page } = customer;
    const lost = (route) => route.abort();
    await page.route('**/assets/first-*.js', lost);
    await page.goto('/products?sort=price');
    const heading = page.getByRole('heading', { level: 1, name: 'The shop has not come yet' });
    assert.equal(await heading.count(), 0, 'it is seen before its time');
    const seconds = await page.evaluate(() =>
      document.getAnimations().map((animation) => {
        animation.finish();
        return animation.effect.getTiming().delay / 1000;
      }),
    );
    assert.deepEqual(seconds, [8]);
    await heading.waitFor();
    await customer.judge('late');
    await page.unroute('**/assets/first-*.js', lost);
    await page.getByRole('link', { name: 'Load again' }).click();
    await page.getByRole('article').first().waitFor();
    assert.equal(new URL(page.url()).search, '?sort=price');
    assert.equal(await heading.count(), 0);
    await customer.leave();
  });

  test(`a ${device} without JavaScript says that the shop needs it`, { timeout: 300_000 }, async () => {
    const customer = await Customer.arrive(browser, { ...options, javaScriptEnabled: false });
    const { page } = customer;
    await page.goto('/');
    await page.getByRole('heading', { level: 1, name: 'ShopMicro needs JavaScript' }).waitFor();
    assert.equal(await page.getByText('The shop has not come yet').boundingBox(), null, 'loading it again is no help');
    await customer.leave();
  });

  test(`a tab that is older than the shop is loaded again, once, on a ${device}`, { timeout: 300_000 }, async () => {
    const customer = await Customer.arrive(browser, options, ['no answer']);
    const { page } = customer;
    const gone = async (route) => {
      customer.expected.push(`404 ${new URL(route.request().url()).pathname}`);
      await route.fulfill({ status: 404, body: '' });
    };
    await page.goto('/');
    await customer.settled();
    const loads = loadsOf(page);
    await page.route('**/assets/cart-*', gone);
    await customer.cart(0).click();
    await page.getByRole('heading', { level: 1, name: 'This page has not come' }).waitFor();
    // It is gone for the new page, too: nothing goes round in circles, and the page waits.
    await customer.look('missing');
    await page.getByRole('button', { name: 'Try again' }).click();
    await customer.settled();
    assert.deepEqual(loads.map((url) => new URL(url).pathname), ['/cart']);
    await page.unroute('**/assets/cart-*', gone);
    await page.getByText('Nothing in here yet').waitFor();
    assert.equal(loads.length, 1);
    await customer.leave();

    // Where the new page has it, its visitor is there without a word.
    const other = await Customer.arrive(browser, options, ['no answer']);
    await other.page.goto('/');
    await other.settled();
    const again = loadsOf(other.page);
    await other.page.route('**/assets/login-*', async (route) => {
      if (again.length > 0) return route.continue();
      other.expected.push(`404 ${new URL(route.request().url()).pathname}`);
      return route.fulfill({ status: 404, body: '' });
    });
    await other.page.getByRole('link', { name: 'Log in' }).first().click();
    await other.page.getByRole('heading', { name: 'Welcome back' }).waitFor();
    assert.equal(again.length, 1);
    await other.leave();
  });

  test(`a page whose style was lost on the way comes with it on a ${device}`, { timeout: 300_000 }, async () => {
    const customer = await Customer.arrive(browser, options, ['no answer']);
    const { page } = customer;
    await customer.putIntoCart(await aProduct(), 1);
    await customer.settled();
    // The shop is away as well, so that the page is not loaded again.
    const lost = (route) => route.abort();
    await page.route('**/assets/cart-*.css', lost);
    await page.route((url) => url.pathname === '/', lost);
    await customer.cart(1).click();
    await page.getByRole('heading', { level: 1, name: 'This page has not come' }).waitFor();
    await page.unroute('**/assets/cart-*.css', lost);
    await page.getByRole('region', { name: 'Summary' }).waitFor();
    const lines = page.getByRole('main').getByRole('list');
    assert.equal(await lines.evaluate((list) => getComputedStyle(list).listStyleType), 'none');
    await customer.leave();
  });

  test(`an order whose answer was lost can be looked for on a ${device}, also later`, { timeout: 300_000 }, async () => {
    const customer = await atCheckout(options, ['no answer']);
    const { page } = customer;
    await customer.loseAnswer('/api/orders');
    await customer.pay().click();
    await page.getByRole('heading', { name: 'We lost sight of your order' }).waitFor();
    await customer.look('lost-order');
    await page.getByRole('link', { name: 'All my orders' }).click();
    await page.getByRole('main').getByText('Paid', { exact: true }).waitFor();
    await page.goto('/checkout');
    await page.getByRole('button', { name: 'Show my order' }).click();
    await page.getByRole('heading', { name: 'Thank you!' }).waitFor();
    assert.equal(await orders(customer), 1);
    await customer.leave();
  });

  test(`the same bought again after an order that was lost sight of is a second order on a ${device}`, { timeout: 300_000 }, async () => {
    const customer = await Customer.arrive(browser, options, ['no answer']);
    const { page } = customer;
    const product = await aProduct();
    await customer.goToCheckout(product);
    await customer.loseAnswer('/api/orders');
    await customer.pay().click();
    await page.getByRole('heading', { name: 'We lost sight of your order' }).waitFor();
    await customer.putIntoCart(product, 1);
    await page.goto('/checkout');
    assert.equal(await page.getByLabel('Street and number').inputValue(), '1 Compiler Court');
    await customer.pay().click();
    await page.getByRole('heading', { name: 'Thank you!' }).waitFor();
    await customer.cart(0).waitFor();
    assert.equal(await orders(customer), 2);
    await customer.leave();
  });

  test(`a checkout that never reached the shop is repeated as one order on a ${device}`, { timeout: 300_000 }, async () => {
    const customer = await atCheckout(options, ['no answer']);
    const { page } = customer;
    await page.route('**/api/orders', (route) => route.abort(), { times: 1 });
    await customer.pay().click();
    await page.getByText('Paying again is safe').waitFor();
    await page.reload();
    assert.equal(await page.getByLabel('Street and number').inputValue(), '1 Compiler Court');
    await customer.pay().click();
    await page.getByRole('heading', { name: 'Thank you!' }).waitFor();
    assert.equal(await orders(customer), 1);
    await customer.leave();
  });

  test(`what the shop refuses is shown at the field on a ${device}`, { timeout: 300_000 }, async () => {
    const customer = await atCheckout(options, ['422 /api/orders']);
    const { page } = customer;
    await page.getByLabel('Card number').fill('1234 5678');
    await customer.pay().click();
    await page
      .getByRole('textbox', { name: 'Card number', description: /test card/ })
      .and(page.locator('[aria-invalid]'))
      .waitFor();
    await customer.leave();
  });

  test(`a backend that dies is waited for, and the visit goes on, on a ${device}`, { timeout: 300_000 }, async () => {
    const product = await aProduct();
    // Until it is back, nginx answers for it.
    const customer = await Customer.arrive(browser, options, [
      '503 /api/products',
      '503 /api/products/facets',
      '503 /api/cart',
      '503 /api/frontend-metrics',
      `503 /api/cart/items/${product.id}`,
    ]);
    const { page } = customer;
    await customer.putIntoCart(product, 1);
    await fault('kill', 'backend');
    try {
      await page.getByRole('button', { name: 'Add to cart' }).click();
      await page.getByRole('alert').getByText('catching its breath').waitFor();
      await page.getByRole('link', { name: 'Shop', exact: true }).click();
      await page.getByRole('main').getByText('The shop is catching its breath.').first().waitFor();
    } finally {
      await fault('start', 'backend');
    }
    await page.getByRole('article').first().waitFor();
    // What was in the cart is there still.
    await customer.cart(1).waitFor();
    await customer.leave();
  });

  test(`a backend that dies in the middle of a checkout on a ${device} costs no order and makes no second one`, { timeout: 300_000 }, async () => {
    const customer = await atCheckout(options, ['503 /api/orders', '503 /api/cart', '503 /api/frontend-metrics']);
    const { page } = customer;
    await fault('kill', 'backend');
    try {
      await customer.pay().click();
      await page.getByText('Paying again is safe').waitFor();
      await customer.look('checkout-away');
    } finally {
      await fault('start', 'backend');
    }
    await customer.pay().click();
    await page.getByRole('heading', { name: 'Thank you!' }).waitFor();
    assert.equal(await orders(customer), 1);
    await customer.leave();
  });
}
