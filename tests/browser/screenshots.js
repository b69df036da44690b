// Takes pictures of the main pages into target/screenshots, as a window shows them: on a desktop and on a phone, by day and
// by night; those of the README into docs/screenshots as well. `make screenshots`.

import { execFile } from 'node:child_process';
import { copyFile, mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { aProduct, Customer, DESKTOP, launch, PHONE, SHOP } from './browser.js';

const ROOT = join(import.meta.dirname, '../..');
const STACK = join(ROOT, process.env.STACK);
const ALL = join(ROOT, 'target/screenshots');
const README = join(ROOT, 'docs/screenshots');
const SHOWN = ['home-desktop', 'admin-desktop', 'catalogue-phone', 'product-phone', 'cart-phone'];

const browser = await launch();
const product = await aProduct();
await mkdir(ALL, { recursive: true });
await mkdir(README, { recursive: true });

/** Takes a page in both colour schemes. */
async function take(customer, name) {
  await customer.settled();
  const { page } = customer;
  for (const colorScheme of ['light', 'dark']) {
    await page.emulateMedia({ colorScheme });
    const file = `${name}-${colorScheme}.png`;
    await page.screenshot({ path: join(ALL, file) });
    if (SHOWN.includes(name)) await copyFile(join(ALL, file), join(README, file));
  }
  await page.emulateMedia({ colorScheme: 'light' });
}

/** Customers of many days, so that the admins have something to see. */
async function business() {
  const run = promisify(execFile);
  await run(STACK, ['load', '--url', SHOP, '--rate', '4', '--duration', '20'], { cwd: ROOT });
  const database = new URL(process.env.POSTGRES_URL);
  database.pathname = '/shopmicro';
  const sql = 'update orders set created_at = created_at - make_interval(days => abs(hashtext(id::text)) % 30)';
  await run('psql', ['--quiet', '--command', sql, database.href]);
}

await business();
for (const [device, options] of [
  ['desktop', { ...DESKTOP, viewport: { width: 1280, height: 800 } }],
  ['phone', { ...PHONE, deviceScaleFactor: 1 }],
]) {
  const customer = await Customer.arrive(browser, options);
  const { page } = customer;
  await page.goto('/');
  await page.getByRole('article').first().waitFor();
  await take(customer, `home-${device}`);
  await page.goto('/products');
  await page.getByRole('article').first().waitFor();
  await take(customer, `catalogue-${device}`);
  await page.getByRole('combobox', { name: 'Search products' }).pressSequentially('lamp');
  await page.getByRole('option').first().waitFor();
  await take(customer, `search-${device}`);
  await customer.putIntoCart(product, 2);
  await page.evaluate(() => scrollTo(0, 0));
  await take(customer, `product-${device}`);
  await customer.cart(2).click();
  await page.getByRole('dialog').getByRole('link', { name: 'Check out' }).waitFor();
  await take(customer, `cart-${device}`);
  await customer.leave();

  const buyer = await Customer.arrive(browser, options);
  await buyer.goToCheckout(product);
  await take(buyer, `checkout-${device}`);
  await buyer.pay().click();
  await buyer.page.getByRole('heading', { name: 'Thank you!' }).waitFor();
  await take(buyer, `order-${device}`);
  await buyer.page.goto('/orders');
  await buyer.page.getByRole('main').getByRole('listitem').first().waitFor();
  await take(buyer, `orders-${device}`);
  await buyer.page.goto('/account');
  await buyer.page.getByRole('heading', { name: /^Hello/ }).waitFor();
  await take(buyer, `account-${device}`);
  await buyer.leave();

  const admin = await Customer.arrive(browser, options);
  await admin.logInAsAdmin();
  await admin.page.getByRole('img', { name: /^Revenue by day:/ }).waitFor();
  await take(admin, `admin-${device}`);
  for (const area of ['products', `products/${product.id}`, 'products/import', 'orders', 'users', 'model']) {
    await admin.page.goto(`/admin/${area}`);
    await admin.page.getByRole('main').getByRole('heading', { level: 1 }).waitFor();
    await take(admin, `admin-${area.replace(product.id, 'edit').replace('/', '-')}-${device}`);
  }
  await admin.leave();
}
await browser.close();
