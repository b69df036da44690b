// The admins' pages.

import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { after, before, test } from 'node:test';
import { api, aProduct, Customer, DESKTOP, DEVICES, held, launch, money, number, unique } from './browser.js';

let browser;
/** What the lists show at least: an order's path, and a product that has left the shop. */
let order;
let archived;
/** What the browser of an admin knows after the login. */
let storageState;
before(async () => {
  browser = await launch();
  const customer = await Customer.arrive(browser, DESKTOP);
  order = await customer.order(await aProduct());
  await customer.leave();
  const admin = await Customer.arrive(browser, DESKTOP);
  await admin.logInAsAdmin();
  storageState = await admin.context.storageState();
  archived = await admin.makeProduct();
  await admin.archive(archived);
  await admin.leave();
});
after(() => browser?.close());

const arriveAsAdmin = (options) => Customer.arrive(browser, { ...options, storageState });

for (const [device, options] of DEVICES) {
  test(`every page of the admins on a ${device}`, { timeout: 300_000 }, async () => {
    const admin = await arriveAsAdmin(options);
    const { page } = admin;
    await page.goto('/admin');
    await page.getByRole('img', { name: /^Revenue by day:/ }).waitFor();
    await admin.look('admin-overview');
    const areas = page.getByRole('navigation', { name: 'Admin' });
    for (const area of ['Products', 'Orders', 'Users', 'Model']) {
      await areas.getByRole('link', { name: area }).click();
      await page.getByRole('heading', { level: 1, name: area }).waitFor();
      await page.getByRole('main').getByRole('table').waitFor();
      await admin.look(`admin-${area.toLowerCase()}`);
    }
    const product = await aProduct();
    const main = page.getByRole('main');
    for (const [path, title, content] of [
      ['/admin/products/new', 'New product', page.getByLabel('SKU')],
      ['/admin/products/archived', 'Archived products', main.getByRole('cell', { name: archived.name, exact: true })],
      ['/admin/products/import', 'Import products', page.getByLabel('Choose a file')],
      [`/admin/products/${product.id}`, product.name, page.getByRole('region', { name: 'Stock' }).getByRole('table')],
      [`/admin${order}`, /^Order /, page.getByRole('region', { name: 'To whom' })],
    ]) {
      await page.goto(path);
      await page.getByRole('heading', { level: 1, name: title }).waitFor();
      await content.waitFor({ state: 'attached' });
      await admin.look(path);
    }
    await admin.leave();
  });

  test(`a list of the admins goes on at what came when more was asked for on a ${device}`, { timeout: 300_000 }, async () => {
    const admin = await arriveAsAdmin(options);
    const { page } = admin;
    await page.goto('/admin/products');
    const links = page.getByRole('main').getByRole('table').getByRole('link');
    await links.nth(24).waitFor();
    await page.getByRole('button', { name: 'Load more' }).focus();
    await page.keyboard.press('Enter');
    await links.nth(25).waitFor();
    const name = await links.nth(25).textContent();
    await page.waitForFunction((name) => document.activeElement?.textContent === name, name);
    await admin.leave();
  });

  test(`a product is made, edited by two, adjusted, archived and restored on a ${device}`, { timeout: 300_000 }, async () => {
    const admin = await arriveAsAdmin(options);
    const { page } = admin;
    admin.expected.push('422 /api/products');
    const name = unique('Teapot');
    await page.goto('/admin/products/new');
    await page.getByLabel('Name').fill(name);
    await page.getByLabel('SKU').fill(name);
    await page.getByLabel('Category').fill('Kitchen');
    await page.getByLabel('Price').fill('12.30');
    await page.getByLabel('Tags').fill(`tea, ${'clay'.repeat(16)}`);
    await page.getByLabel('Stock').fill('4');
    await page.getByRole('button', { name: 'Create product' }).click();
    // One tag is too long.
    await page.getByRole('textbox', { name: 'Tags', description: /60 characters/ }).waitFor();
    await page.getByLabel('Tags').fill('tea, clay');
    await page.getByRole('button', { name: 'Create product' }).click();
    await page.getByRole('heading', { level: 1, name }).waitFor();
    await page.waitForURL(/\/admin\/products\/[0-9a-f-]{36}$/);
    const path = new URL(page.url()).pathname;

    // Another admin has the same form open, and saves first.
    const other = await arriveAsAdmin(options);
    for (const { expected } of [admin, other]) expected.push(`412 ${path.replace('/admin', '/api')}`);
    await other.page.goto(path);
    await other.page.getByLabel('Price').waitFor();
    await page.getByLabel('Price').fill('13');
    const saving = held();
    await page.route('**/api/products/*', async (route) => {
      await saving.answer;
      await route.continue();
    }, { times: 1 });
    await page.getByRole('button', { name: 'Save', exact: true }).click();
    await page.getByLabel('Picture').fill('/typed/meanwhile.svg');
    saving.release();
    await page.getByText('Saved.').waitFor();
    // What was typed while it was being saved is there still, and so is the focus.
    await page.getByText('Version 2,').waitFor();
    assert.ok(await page.getByLabel('Picture').evaluate((field) => field === document.activeElement));
    assert.equal(await page.getByLabel('Picture').inputValue(), '/typed/meanwhile.svg');
    await page.getByLabel('Picture').fill('');
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

    // The first insists on what the form says, all of it.
    await page.getByLabel('Price').fill('14');
    await page.getByRole('button', { name: 'Save', exact: true }).click();
    await page.getByRole('button', { name: 'Save mine over it' }).click();
    await page.getByText('Version 4,').waitFor();
    assert.equal(await page.getByLabel('Description').inputValue(), '');

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
    await page.getByRole('main').getByText('£14.00').waitFor();
    assert.equal(await page.getByText('Holds four cups.').count(), 0);
    await admin.archive({ id: path.split('/').at(-1) });
    await admin.leave();
  });

  test(`a file is imported, and every row that was refused comes back on a ${device}`, { timeout: 300_000 }, async () => {
    const admin = await arriveAsAdmin(options);
    const { page } = admin;
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
    // The input itself is not to be seen; its label shows where the keyboard is.
    await page.keyboard.press('Tab');
    await page.getByLabel('Choose a file').focus();
    const outline = await page.locator('label', { hasText: 'Choose a file' }).evaluate((label) => getComputedStyle(label).outlineStyle);
    assert.equal(outline, 'solid');
    await choose('name\ncup\n');
    await page.getByText('the first row has no column sku').waitFor();
    await choose(text);
    await page.getByText('1 product imported, 223 refused.').waitFor();
    const progress = page.getByRole('progressbar', { name: 'Import of cups.csv' });
    assert.equal(await progress.getAttribute('value'), '224');
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

    // Whoever stops it knows how far it came.
    const second = held();
    await page.route('**/api/products/import', async (route) => {
      await second.answer;
      await route.continue();
    });
    await page.route('**/api/products/import', (route) => route.continue(), { times: 1 });
    await choose([text.split('\n')[0], ...Array.from({ length: 250 }, (_, n) => `${sku}-${n},,,Kitchen,,990,2`)].join('\n'));
    await page.getByText('100 of 250 rows').waitFor();
    assert.equal(await progress.getAttribute('value'), '100');
    await page.getByRole('button', { name: 'Stop' }).click();
    second.release();
    await page.getByText('0 products imported, 200 refused, 50 not tried.').waitFor();
    await admin.leave();
  });

  test(`an order goes its way, which its customer sees on a ${device}`, { timeout: 300_000 }, async () => {
    const customer = await Customer.arrive(browser, options);
    const pathname = await customer.order(await aProduct());

    const admin = await arriveAsAdmin(options);
    const { page } = admin;
    await page.goto('/admin/orders');
    await page.getByLabel('Status').selectOption('Paid');
    await page.waitForURL('**/admin/orders?status=paid');
    await page.goto(`/admin${pathname}`);
    // What comes in its place takes a click of its own.
    await admin.clickTwice(
      page.getByRole('button', { name: 'Mark as shipped' }),
      page.getByRole('button', { name: 'Mark as delivered' }),
    );
    await page.getByRole('status').getByText('On its way since').waitFor();
    await customer.page.goto(pathname);
    await customer.page.getByRole('listitem').filter({ hasText: 'On its way' }).and(customer.page.locator('[aria-current=step]')).waitFor();
    assert.equal(await customer.page.getByRole('button', { name: 'Cancel order' }).count(), 0);
    await page.getByRole('button', { name: 'Mark as delivered' }).click();
    await page.getByText('Delivered since').waitFor();
    await page.waitForFunction(() => document.activeElement?.id === 'status');
    await admin.leave();
    await customer.leave();
  });

  test(`roles are given and taken, and no customer sees the admins’ pages on a ${device}`, { timeout: 300_000 }, async () => {
    const customer = await Customer.arrive(browser, options);
    await customer.page.goto('/register?next=/admin');
    const email = (await customer.register()).email.toLowerCase();
    await customer.page.getByRole('heading', { name: 'There is nothing here' }).waitFor();

    const admin = await arriveAsAdmin(options);
    const { page } = admin;
    await page.goto('/admin/users');
    await page.getByLabel('Beginning of a name or e-mail address').fill(email);
    await page.keyboard.press('Enter');
    const change = page.getByRole('button', { name: `Change the role of Grace Hopper, ${email}` });
    await change.click();
    await page.getByRole('button', { name: 'Make admin' }).click();
    await page.getByRole('status').getByText('Grace Hopper is an admin now').waitFor({ state: 'attached' });
    assert.ok(await change.evaluate((button) => button === document.activeElement), 'the focus is lost');
    await page.getByRole('cell', { name: 'Admin', exact: false }).filter({ hasText: /^Admin/ }).waitFor();
    await customer.page.reload();
    await customer.page.getByRole('heading', { level: 1, name: 'Overview' }).waitFor();
    await change.click();
    await page.getByRole('button', { name: 'Make customer' }).click();
    await page.getByRole('cell').filter({ hasText: /^Customer/ }).waitFor();
    await admin.leave();
    await customer.leave();
  });

  test(`an order is cancelled in two steps on a ${device}, and its units are back`, { timeout: 300_000 }, async () => {
    const product = await aProduct();
    const stock = async () => (await api(`/api/products/${product.id}`)).stock;
    const before = await stock();
    const customer = await Customer.arrive(browser, options);
    const pathname = await customer.order(product);
    assert.equal(await stock(), before - 1);

    const admin = await arriveAsAdmin(options);
    const { page } = admin;
    await page.goto(`/admin${pathname}`);
    const sure = page.getByRole('button', { name: 'Yes, cancel it' });
    await admin.clickTwice(page.getByRole('button', { name: 'Cancel order' }), sure);
    await page.getByRole('button', { name: 'Keep it' }).click();
    await page.getByRole('button', { name: 'Cancel order' }).click();
    await page.getByText('Paid since').waitFor();
    await admin.look('admin-cancelling');
    await sure.click();
    await page.getByText('Cancelled since').waitFor();
    await page.getByRole('button', { name: 'Mark as shipped' }).waitFor({ state: 'detached' });
    assert.equal(await stock(), before);
    await admin.leave();
    await customer.page.reload();
    await customer.page.getByRole('main').getByText('Cancelled', { exact: true }).waitFor();
    await customer.leave();
  });

  test(`the overview shows on a ${device} what the API counts`, { timeout: 300_000 }, async () => {
    const admin = await arriveAsAdmin(options);
    const { page } = admin;
    await page.goto('/admin');
    await page.getByRole('img', { name: /^Revenue by day:/ }).waitFor();
    const scarce = await admin.makeProduct({ stock: 1 });
    const read = page.waitForResponse('**/api/admin/overview');
    await page.reload();
    const { days, currency, to_ship, low_stock } = await (await read).json();
    const sum = (of) => days.reduce((sum, day) => sum + of(day), 0);
    const today = days.at(-1);
    assert.ok(today.orders > 0 && to_ship > 0 && low_stock.some(({ id }) => id === scarce.id));
    const figure = (name) => page.locator(`dt:text-is("${name}") + dd`).textContent();
    await page.getByRole('img', { name: /^Revenue by day:/ }).waitFor();
    assert.deepEqual(
      {
        ordersToday: await figure('Orders today'),
        revenueToday: await figure('Revenue today'),
        orders: await figure('Orders in 30 days'),
        revenue: await figure('Revenue in 30 days'),
        toShip: await figure('To ship'),
      },
      {
        ordersToday: number(today.orders),
        revenueToday: money(today.revenue_cents, currency),
        orders: number(sum((day) => day.orders)),
        revenue: money(
          sum((day) => day.revenue_cents),
          currency,
        ),
        toShip: number(to_ship),
      },
    );
    const rows = page.getByRole('region', { name: 'Running out' }).locator('tbody').getByRole('row');
    const shown = [];
    for (const row of await rows.all()) {
      const cells = await row.getByRole('cell').allTextContents();
      shown.push([cells[0], cells.at(-1)]);
    }
    assert.deepEqual(
      shown,
      low_stock.map(({ name, stock }) => [name, String(stock)]),
    );
    await admin.archive(scarce);
    await admin.leave();
  });

  test(`a new model is trained and taken into use on a ${device}`, { timeout: 300_000 }, async () => {
    const admin = await arriveAsAdmin(options);
    const { page } = admin;
    await page.goto('/admin/model');
    await page.getByRole('button', { name: 'Train a new model' }).click();
    await page.getByText('The new model is in use.').waitFor();
    await admin.leave();
  });
}
