// What a page says where it has nothing to show, or cannot: everybody can read it and go on from there.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { Customer, DESKTOP, DEVICES, launch, unique } from './browser.js';

let browser;
let admin;
let soldOut;
before(async () => {
  browser = await launch();
  admin = await Customer.arrive(browser, DESKTOP);
  await admin.logInAsAdmin();
  soldOut = await admin.makeProduct({ stock: 0 });
});
after(async () => {
  if (soldOut) await admin.archive(soldOut);
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
