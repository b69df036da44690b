// What holds for pages as such: the keyboard reaches them, and they report how they fare.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { aProduct, Customer, DESKTOP, launch } from './browser.js';

let browser;
before(async () => {
  browser = await launch();
});
after(() => browser?.close());

test('the keyboard alone is enough', { timeout: 60_000 }, async () => {
  const customer = await Customer.arrive(browser, DESKTOP);
  const { page } = customer;
  const product = await aProduct();
  await page.goto(`/products/${product.id}`);
  await page.getByRole('button', { name: 'Add to cart' }).waitFor();
  await page.keyboard.press('Tab');
  assert.equal(await page.evaluate(() => document.activeElement?.textContent), 'Skip to content');
  await page.keyboard.press('Enter');
  // Category, less (disabled at one), the number, more, the button.
  for (const name of [product.category, 'Quantity', 'One more', 'Add to cart']) {
    await page.keyboard.press('Tab');
    const focused = await page.evaluate(
      () => document.activeElement?.getAttribute('aria-label') ?? document.activeElement?.textContent,
    );
    assert.equal(focused, name);
  }
  await page.keyboard.press('Enter');
  await page.getByText('1 item added.').waitFor();
  await customer.leave();
});

test('pages report their vitals by route template', { timeout: 60_000 }, async () => {
  const customer = await Customer.arrive(browser, DESKTOP);
  const { page } = customer;
  const reported = page.waitForResponse((response) => response.url().endsWith('/api/frontend-metrics'));
  await page.goto(`/products/${(await aProduct()).id}`);
  const response = await reported;
  assert.equal(response.status(), 202);
  const { metrics, errors } = response.request().postDataJSON();
  assert.ok(metrics.some((metric) => metric.name === 'TTFB'));
  assert.deepEqual(new Set(metrics.map((metric) => metric.page)), new Set(['/products/{id}']));
  assert.deepEqual(errors, []);
  await customer.leave();
});
