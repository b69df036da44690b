// The admins' pages.

import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { after, before, test } from 'node:test';
import { aProduct, Customer, DESKTOP, launch, PHONE } from './browser.js';

let browser;
before(async () => {
  browser = await launch();
});
after(() => browser?.close());

/** A name that no other test gives. */
const unique = (name) => `${name} ${Math.random().toString(36).slice(2, 8)}`;

for (const [device, options] of [
  ['desktop', DESKTOP],
  ['phone', PHONE],
]) {
  test(`every page of the admins on a ${device}`, { timeout: 300_000 }, async () => {
    const admin = await Customer.arrive(browser, options);
    const { page } = admin;
    await admin.logInAsAdmin();
    await page.getByRole('img', { name: /^Revenue by day:/ }).waitFor();
    await admin.look('admin-overview');
    const areas = page.getByRole('navigation', { name: 'Admin' });
    for (const area of ['Products', 'Orders', 'Users', 'Model']) {
      await areas.getByRole('link', { name: area }).click();
      await page.getByRole('heading', { level: 1, name: area }).waitFor();
      // A shop without an order says so.
      await page.getByRole('main').getByRole('table').or(page.getByText('No such orders')).waitFor();
      await admin.look(`admin-${area.toLowerCase()}`);
    }
    for (const [path, title] of [
      ['/admin/products/new', 'New product'],
      ['/admin/products/archived', 'Archived products'],
      ['/admin/products/import', 'Import products'],
    ]) {
      await page.goto(path);
      await page.getByRole('heading', { level: 1, name: title }).waitFor();
      await admin.look(title.toLowerCase().replace(' ', '-'));
    }
    await admin.leave();
  });
}

test('a product is made, edited by two, adjusted, archived and restored', { timeout: 300_000 }, async () => {
  const admin = await Customer.arrive(browser, DESKTOP);
  const { page } = admin;
  await admin.logInAsAdmin();
  const name = unique('Teapot');
  await page.goto('/admin/products/new');
  await page.getByLabel('Name').fill(name);
  await page.getByLabel('SKU').fill(name);
  await page.getByLabel('Category').fill('Kitchen');
  await page.getByLabel('Price').fill('12.30');
  await page.getByLabel('Tags').fill('tea, clay');
  await page.getByLabel('Stock').fill('4');
  await page.getByRole('button', { name: 'Create product' }).click();
  await page.getByRole('heading', { level: 1, name }).waitFor();
  await page.waitForURL(/\/admin\/products\/[0-9a-f-]{36}$/);
  const path = new URL(page.url()).pathname;

  // Another admin has the same form open, and saves first.
  const other = await Customer.arrive(browser, DESKTOP, [`412 ${path.replace('/admin', '/api')}`]);
  await other.logInAsAdmin();
  await other.page.goto(path);
  await other.page.getByLabel('Price').waitFor();
  await page.getByLabel('Price').fill('13');
  await page.getByRole('button', { name: 'Save', exact: true }).click();
  await page.getByText('Saved.').waitFor();
  await other.page.getByLabel('Description').fill('Holds four cups.');
  await other.page.getByRole('button', { name: 'Save', exact: true }).click();
  await other.page.getByText('Somebody else changed this product meanwhile.').waitFor();
  await other.look('admin-conflict');
  await other.page.getByRole('button', { name: 'Show theirs' }).click();
  await other.page.getByText('Version 2,').waitFor();
  assert.equal(await other.page.getByLabel('Price').inputValue(), '13.00');
  await other.page.getByLabel('Description').fill('Holds four cups.');
  await other.page.getByRole('button', { name: 'Save', exact: true }).click();
  await other.page.getByText('Version 3,').waitFor();
  await other.leave();

  const stock = page.getByRole('region', { name: 'Stock' });
  await stock.getByLabel('Change by').fill('-1');
  await stock.getByLabel('Why').fill('one broke');
  await stock.getByRole('button', { name: 'Adjust stock' }).click();
  await stock.getByText('Adjusted: one broke').waitFor();
  assert.equal(await stock.getByRole('status').textContent(), '3 in stock');

  await page.goto(`/admin/products?q=${encodeURIComponent(name)}`);
  await page.getByRole('link', { name, exact: true }).click();
  await page.getByRole('button', { name: 'Archive' }).click();
  await page.getByRole('button', { name: 'Yes, archive it' }).click();
  await page.getByRole('heading', { level: 1, name: 'Products' }).waitFor();
  await page.goto('/admin/products/archived');
  await page.getByRole('button', { name: `Restore ${name}` }).click();
  await page.getByRole('button', { name: `Restore ${name}` }).waitFor({ state: 'detached' });
  await page.goto(path.replace('/admin', ''));
  await page.getByText('In stock: 3').waitFor();
  await page.getByText('Holds four cups.').waitFor();
  // It is nobody's concern in the tests that follow.
  await page.goto(path);
  await page.getByRole('button', { name: 'Archive' }).click();
  await page.getByRole('button', { name: 'Yes, archive it' }).click();
  await page.getByRole('heading', { level: 1, name: 'Products' }).waitFor();
  await admin.leave();
});

test('a file is imported, and every row that was refused comes back', { timeout: 300_000 }, async () => {
  const admin = await Customer.arrive(browser, DESKTOP);
  const { page } = admin;
  await admin.logInAsAdmin();
  await page.goto('/admin/products/import');
  const sku = unique('sku');
  const text = [
    'sku,name,description,category,tags,price_cents,stock',
    `${sku},Imported cup,"For tea, hot",Kitchen,tea|cup,990,2`,
    `${sku},Imported cup again,,Kitchen,,990,2`,
    `${sku}-x,,,Kitchen,,990,2`,
    `${sku}-y,Dear,,Kitchen,,nine,2`,
    // More than one request takes.
    ...Array.from({ length: 220 }, (_, n) => `${sku}-${n},,,Kitchen,,990,2`),
  ].join('\n');
  const choose = (text) =>
    page.getByLabel('Choose a file').setInputFiles({ name: 'cups.csv', mimeType: 'text/csv', buffer: Buffer.from(text) });
  await choose('name\ncup\n');
  await page.getByText('the first row has no column sku').waitFor();
  await choose(text);
  await page.getByText('1 product imported, 223 refused.').waitFor();
  assert.equal(await page.getByRole('progressbar', { name: 'Import of cups.csv' }).getAttribute('value'), '224');
  const rows = page.getByRole('table', { name: 'Rows that were refused' }).getByRole('row');
  assert.match(await rows.nth(1).textContent(), /sku belongs to another product already/);
  assert.match(await rows.nth(2).textContent(), /name must have 1 to 200 characters/);
  assert.deepEqual(await rows.nth(3).getByRole('cell').allTextContents(), ['5', `${sku}-y`, 'price_cents is not a whole number']);
  await admin.look('admin-imported');
  const saving = page.waitForEvent('download');
  await page.getByRole('button', { name: 'Save the refused rows' }).click();
  const download = await saving;
  assert.equal(download.suggestedFilename(), 'cups-refused.csv');
  const saved = await readFile(await download.path(), 'utf8');
  assert.equal(saved.trim().split('\r\n').length, 224);

  // The same file again makes nothing twice.
  await choose(text);
  await page.getByText('0 products imported, 1 there already, 223 refused.').waitFor();
  await admin.leave();
});

test('an order goes its way, which its customer sees', { timeout: 300_000 }, async () => {
  const customer = await Customer.arrive(browser, DESKTOP);
  await customer.putIntoCart(await aProduct(), 1);
  await customer.page.goto('/register?next=/checkout');
  await customer.register();
  await customer.page.waitForURL('**/checkout');
  await customer.fillAddress();
  await customer.pay().click();
  await customer.page.getByRole('heading', { name: 'Thank you!' }).waitFor();
  const { pathname } = new URL(customer.page.url());

  const admin = await Customer.arrive(browser, DESKTOP);
  const { page } = admin;
  await admin.logInAsAdmin();
  await page.goto('/admin/orders');
  await page.getByLabel('Status').selectOption('Paid');
  await page.waitForURL('**/admin/orders?status=paid');
  await page.goto(`/admin${pathname}`);
  await page.getByRole('button', { name: 'Mark as shipped' }).click();
  await page.getByRole('button', { name: 'Mark as delivered' }).waitFor();
  await admin.look('admin-order');
  await customer.page.goto(pathname);
  await customer.page.getByRole('listitem').filter({ hasText: 'On its way' }).and(customer.page.locator('[aria-current=step]')).waitFor();
  assert.equal(await customer.page.getByRole('button', { name: 'Cancel order' }).count(), 0);
  await page.getByRole('button', { name: 'Mark as delivered' }).click();
  await page.getByText('Delivered since').waitFor();
  await admin.leave();
  await customer.leave();
});

test('roles are given and taken, and no customer sees the admins’ pages', { timeout: 300_000 }, async () => {
  const customer = await Customer.arrive(browser, DESKTOP);
  await customer.page.goto('/register?next=/admin');
  const email = (await customer.register()).email.toLowerCase();
  await customer.page.getByRole('heading', { name: 'There is nothing here' }).waitFor();

  const admin = await Customer.arrive(browser, DESKTOP);
  const { page } = admin;
  await admin.logInAsAdmin();
  await page.goto('/admin/users');
  await page.getByLabel('Beginning of a name or e-mail address').fill(email);
  await page.keyboard.press('Enter');
  const change = page.getByRole('button', { name: `Change the role of Grace Hopper, ${email}` });
  await change.click();
  await page.getByRole('button', { name: 'Yes, make them an admin' }).click();
  await page.getByRole('cell', { name: 'Admin', exact: false }).filter({ hasText: /^Admin/ }).waitFor();
  await customer.page.reload();
  await customer.page.getByRole('heading', { level: 1, name: 'Overview' }).waitFor();
  await change.click();
  await page.getByRole('button', { name: 'Yes, a customer from now on' }).click();
  await page.getByRole('cell').filter({ hasText: /^Customer/ }).waitFor();
  await admin.leave();
  await customer.leave();
});

test('a new model is trained and taken into use', { timeout: 300_000 }, async () => {
  const admin = await Customer.arrive(browser, DESKTOP);
  const { page } = admin;
  await admin.logInAsAdmin();
  await page.goto('/admin/model');
  await page.getByRole('button', { name: 'Train a new model' }).click();
  await page.getByText('The new model is in use.').waitFor();
  await admin.leave();
});
