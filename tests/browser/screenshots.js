// Takes pictures of the main pages into target/screenshots, as a window shows them: on a desktop and on a phone, by day and
// by night; those of the README into docs/screenshots as well. `make screenshots`.

import { copyFile, mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { aProduct, Customer, DESKTOP, launch, PHONE } from './browser.js';

const ROOT = join(import.meta.dirname, '../..');
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

/** An order, so that the admins have something to see. */
async function buy(options) {
  const buyer = await Customer.arrive(browser, options);
  await buyer.putIntoCart(product, 1);
  await buyer.page.goto('/register?next=/checkout');
  await buyer.register();
  await buyer.page.waitForURL('**/checkout');
  await buyer.fillAddress();
  await buyer.pay().click();
  await buyer.page.getByRole('heading', { name: 'Thank you!' }).waitFor();
  await buyer.leave();
}

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
  await customer.putIntoCart(product, 2);
  await page.evaluate(() => scrollTo(0, 0));
  await take(customer, `product-${device}`);
  await customer.cart(2).click();
  await page.getByRole('dialog').getByRole('link', { name: 'Check out' }).waitFor();
  await take(customer, `cart-${device}`);
  await customer.leave();

  await buy(options);
  const admin = await Customer.arrive(browser, options);
  await admin.logInAsAdmin();
  await admin.page.getByRole('img', { name: /^Revenue by day:/ }).waitFor();
  await take(admin, `admin-${device}`);
  await admin.leave();
}
await browser.close();
