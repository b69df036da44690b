// What holds for pages as such: the keyboard reaches them, and they report how they fare.

import assert from 'node:assert/strict';
import { get } from 'node:http';
import { after, before, test } from 'node:test';
import { aProduct, Customer, DESKTOP, launch, SHOP } from './browser.js';

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

test('the first page is little script, and none of the admins’', { timeout: 60_000 }, async () => {
  const html = await (await fetch(SHOP)).text();
  const scripts = [...html.matchAll(/(?:src|href)="(\/assets\/[^"]+\.js)"/g)].map(([, path]) => path);
  let bytes = 0;
  for (const path of scripts) {
    const answer = await packed(path);
    assert.equal(answer.headers['content-encoding'], 'gzip');
    bytes += answer.bytes;
  }
  assert.ok(scripts.length > 0 && bytes > 0);
  assert.ok(bytes <= 110_000, `a visit begins with ${bytes} bytes of script`);

  // A customer's whole visit asks for none of the admins' pages.
  const admin = await Customer.arrive(browser, DESKTOP);
  const theirs = scriptsOf(admin.page);
  await admin.logInAsAdmin();
  await admin.leave();
  const customer = await Customer.arrive(browser, DESKTOP);
  const ours = scriptsOf(customer.page);
  await customer.putIntoCart(await aProduct(), 1);
  for (const path of ['/', '/products', '/cart', '/checkout', '/account']) {
    await customer.page.goto(path);
    await customer.page.getByRole('heading', { level: 1 }).waitFor();
  }
  await customer.leave();
  const pages = [...theirs].filter((path) => /\/admin-/.test(path));
  assert.equal(pages.length, 1, `${[...theirs]}`);
  assert.ok(!ours.has(pages[0]), `${[...ours]}`);
});

/** What is asked for as a script. */
function scriptsOf(page) {
  const paths = new Set();
  page.on('request', (request) => {
    if (request.resourceType() === 'script') paths.add(new URL(request.url()).pathname);
  });
  return paths;
}

/** An answer as it travels, packed. */
function packed(path) {
  return new Promise((resolve, reject) => {
    const request = get(new URL(path, SHOP), { headers: { 'accept-encoding': 'gzip' } }, (response) => {
      let bytes = 0;
      response.on('data', (chunk) => {
        bytes += chunk.length;
      });
      response.on('end', () => resolve({ bytes, headers: response.headers }));
    });
    request.on('error', reject);
  });
}
