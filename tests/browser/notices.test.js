// What a page says where it has nothing to show, or cannot: everybody can read it and go on from there.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { Customer, DESKTOP, DEVICES, launch, unique } from './browser.js';

let browser;
let admin;
let soldOut;
/** Its name is one word that is wider than a phone, and its price is high. */
let long;
before(async () => {
  browser = await launch();
  admin = await Customer.arrive(browser, DESKTOP);
  await admin.logInAsAdmin();
  soldOut = await admin.makeProduct({ stock: 0 });
  long = await admin.makeProduct({ name: unique('Rhubarb'.repeat(12)), price_cents: 98_765_432 });
});
after(async () => {
  for (const product of [soldOut, long]) if (product) await admin.archive(product);
  await browser?.close();
});

for (const [device, options] of DEVICES) {
  test(`what is not to be had says so and leads on, on a ${device}`, { timeout: 300_000 }, async () => {
    const customer = await Customer.arrive(browser, options);
    const { page } = customer;
    await page.goto(`/products/${soldOut.id}`);
    await page.getByText('Sold out for now').waitFor();
    await page.getByText('This one is sold out.').waitFor();
    assert.equal(await page.getByRole('button', { name: 'Add to cart' }).count(), 0);
    // The recommender may not know it yet.
    await page.getByRole('region', { name: /^(Similar products|Popular right now)$/ }).getByRole('article').first().waitFor();
    await customer.look('sold-out');
    await page.goto(`/products?q=${encodeURIComponent(unique('xyzzy'))}`);
    await page.getByRole('heading', { name: 'Nothing matches' }).waitFor();
    await customer.total(0).waitFor();
    await customer.look('no-results');
    await page.getByRole('link', { name: 'Show everything' }).click();
    await page.getByRole('article').first().waitFor();
    await customer.leave();
  });

  test(`a long word and a high price keep to their place on a ${device}, and so does a cart with nothing in it`, { timeout: 300_000 }, async () => {
    const customer = await Customer.arrive(browser, options);
    const { page } = customer;
    await page.goto('/');
    await customer.cart(0).click();
    const drawer = page.getByRole('dialog', { name: 'Your cart' });
    const browse = await drawer.getByRole('link', { name: 'Browse the shop' }).boundingBox();
    assert.ok(browse.height < 60, `the way on is ${browse.height} px high`);
    // It is the newest.
    await page.goto('/products');
    await page.getByRole('article').getByText(long.name).waitFor();
    const widths = await page.getByRole('article').evaluateAll((cards) => cards.map((card) => card.clientWidth));
    assert.ok(Math.max(...widths) - Math.min(...widths) <= 1, `${widths}`);
    await customer.look('long-list');
    await customer.putIntoCart(long, 3);
    await customer.look('long-product');
    await customer.cart(3).click();
    const name = drawer.getByRole('link', { name: long.name });
    const { right, edge } = await name.evaluate((link) => ({
      right: link.getBoundingClientRect().right,
      edge: link.closest('li').getBoundingClientRect().right,
    }));
    assert.ok(right <= edge, `${right} px of ${edge}`);
    await page.goto('/cart');
    await page.getByRole('region', { name: 'Summary' }).waitFor();
    await customer.look('long-cart');
    await customer.leave();
  });

  test(`a shop that is not there is told of on a ${device}`, { timeout: 300_000 }, async () => {
    const customer = await Customer.arrive(
      browser,
      options,
      ['products', 'products/facets', `products/${soldOut.id}`, `products/${soldOut.id}/similar`, 'cart', 'frontend-metrics'].map(
        (path) => `503 /api/${path}`,
      ),
    );
    const { page } = customer;
    await page.route('**/api/**', (route) => route.fulfill({ status: 503, contentType: 'application/problem+json', body: '{}' }));
    for (const path of ['/products', `/products/${soldOut.id}`, '/cart']) {
      await page.goto(path);
      await page.getByRole('main').getByText('The shop is catching its breath.').first().waitFor();
      await customer.judge(path);
    }
    await page.unroute('**/api/**');
    await page.getByText('Nothing in here yet').waitFor();
    await customer.leave();
  });
}
