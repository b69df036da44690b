// What every browser test shares: one Chromium, and pages that are watched for errors.

import assert from 'node:assert/strict';
import axe from 'axe-core';
import { chromium } from 'playwright-core';

export const SHOP = process.env.SHOP_URL;
assert.ok(SHOP, 'SHOP_URL must be the address of a running shop');

export const DESKTOP = { viewport: { width: 1280, height: 900 } };
export const PHONE = {
  viewport: { width: 375, height: 812 },
  isMobile: true,
  hasTouch: true,
  deviceScaleFactor: 2,
};

/** Starts Chromium, perhaps with more arguments. */
export function launch(...more) {
  return chromium.launch({
    executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
    args: [
      '--headless',
      '--no-sandbox',
      '--disable-gpu',
      '--disable-quic',
      '--no-first-run',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
      ...more,
    ],
  });
}

/** A customer with a browser of their own. `expected` are the failures that the test provokes: `status path`. */
export class Customer {
  static async arrive(browser, options, expected = []) {
    const context = await browser.newContext({
      ...options,
      baseURL: SHOP,
      locale: 'en-GB',
      reducedMotion: 'reduce',
    });
    context.setDefaultTimeout(60_000);
    const page = await context.newPage();
    return new Customer(context, page, expected);
  }

  constructor(context, page, expected) {
    this.context = context;
    this.page = page;
    this.expected = expected;
    /** What no visit may cause: uncaught errors, error messages in the console, violations of the CSP. */
    this.troubles = [];
    this.failed = new Map();
    page.on('pageerror', (error) => this.troubles.push(`uncaught: ${error.message}`));
    page.on('response', (response) => {
      if (response.status() < 400) return;
      const { pathname } = new URL(response.url());
      this.failed.set(response.url(), `${response.status()} ${pathname}`);
    });
    page.on('console', (message) => {
      if (message.type() !== 'error') return;
      const failure = this.failed.get(message.location().url) ?? 'no answer';
      if (!this.expected.includes(failure)) this.troubles.push(`console: ${message.text()} (${failure})`);
    });
  }

  /** Waits until the page shows what it is about. */
  async settled() {
    await this.page.waitForLoadState('networkidle');
    await this.page
      .getByRole('status', { name: /^Loading/ })
      .first()
      .waitFor({ state: 'detached' });
  }

  /** Checks the page's width and its pictures and, in both colour schemes, whether everybody can use it. */
  async look(name) {
    await this.settled();
    const { wanted, has, widest } = await this.page.evaluate(() => {
      const wanted = document.documentElement.clientWidth;
      const tooWide = [...document.querySelectorAll('body *')].find(
        (element) => element.getBoundingClientRect().right > wanted + 1,
      );
      return { wanted, has: document.documentElement.scrollWidth, widest: tooWide?.outerHTML.slice(0, 120) };
    });
    assert.ok(has <= wanted, `${name} scrolls sideways: ${has} px in ${wanted} px, perhaps by ${widest}`);
    const missing = await this.page.evaluate(() =>
      [...document.images]
        .filter((image) => image.complete && image.naturalWidth === 0)
        .map((image) => image.src),
    );
    assert.deepEqual(missing, [], `${name} has pictures that do not show`);
    for (const colorScheme of ['light', 'dark']) {
      await this.page.emulateMedia({ colorScheme });
      await this.page.evaluate(axe.source);
      const { violations } = await this.page.evaluate(() => axe.run(document, { resultTypes: ['violations'] }));
      const found = violations.map(({ id, nodes }) => `${id}: ${nodes.map((node) => node.html).join(' ')}`);
      assert.deepEqual(found, [], `${name} in ${colorScheme} shuts somebody out`);
    }
    await this.page.emulateMedia({ colorScheme: 'light' });
  }

  /** Makes an account on the registration page, which leads on to where the customer was going. */
  async register() {
    const email = `browser-${Date.now()}-${Math.random().toString(36).slice(2, 8)}@example.com`;
    const password = 'a few words in a row';
    await this.page.getByLabel('Name').fill('Grace Hopper');
    await this.page.getByLabel('E-mail').fill(email);
    await this.page.getByLabel('Password').fill(password);
    await this.page.getByRole('button', { name: 'Create account' }).click();
    return { email, password };
  }

  async putIntoCart(product, quantity) {
    await this.page.goto(`/products/${product.id}`);
    await this.page.getByRole('textbox', { name: 'Quantity' }).fill(String(quantity));
    await this.page.getByRole('button', { name: 'Add to cart' }).click();
    await this.page.getByText(`${quantity} item${quantity === 1 ? '' : 's'} added.`).waitFor();
  }

  async fillAddress() {
    await this.page.getByLabel('Street and number').fill('1 Compiler Court');
    await this.page.getByLabel('Postcode').fill('YO1 7HH');
    await this.page.getByLabel('Town or city').fill('York');
  }

  pay() {
    return this.page.getByRole('button', { name: /^Pay / });
  }

  cart(items) {
    return this.page.getByRole('link', { name: `Cart, ${items === 1 ? '1 item' : `${items} items`}` });
  }

  /** The demo shop's admin. */
  async logInAsAdmin() {
    await this.page.goto('/login?next=/admin');
    await this.page.getByLabel('E-mail').fill('admin@shopmicro.example');
    await this.page.getByLabel('Password').fill('demo-admin-pass');
    await this.page.getByRole('button', { name: 'Log in' }).click();
    await this.page.getByRole('heading', { level: 1, name: 'Overview' }).waitFor();
  }

  async leave() {
    await this.context.close();
    assert.deepEqual(this.troubles, [], 'the browser had trouble');
  }
}

/** A product that can be bought, whatever the catalogue. */
export async function aProduct() {
  const response = await fetch(new URL('/api/products?in_stock=true&limit=100', SHOP));
  assert.equal(response.status, 200);
  const { items } = await response.json();
  const found = items.find((product) => product.stock >= 10);
  assert.ok(found, 'the catalogue has something in stock');
  return found;
}

/** What the shop's API answers. */
export async function api(path, query = {}) {
  const url = new URL(path, SHOP);
  for (const [name, value] of Object.entries(query)) url.searchParams.set(name, String(value));
  const response = await fetch(url);
  assert.equal(response.status, 200, path);
  return response.json();
}
