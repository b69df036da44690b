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
/** What is the same journey on both is a test for each: its name, and the options of its browser. */
export const DEVICES = [
  ['desktop', DESKTOP],
  ['phone', PHONE],
];
/** A keyboard is at a desktop, perhaps zoomed to 400 %, where a page has a phone's width: WCAG 1.4.10. */
export const KEYBOARDS = [
  ['on a desktop', DESKTOP],
  ['at 400 % zoom', { viewport: { width: 320, height: 225 }, deviceScaleFactor: 4 }],
];

/** A name that no other test gives. */
export const unique = (name) => `${name} ${Math.random().toString(36).slice(2, 8)}`;

/** A number as the shop writes it. */
export const number = (n) => n.toLocaleString('en-GB');

/** A price as the shop writes it. */
export const money = (cents, currency) =>
  new Intl.NumberFormat('en-GB', { style: 'currency', currency }).format(cents / 100);

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

  /** Another tab of theirs, watched as well. */
  async openTab(expected = []) {
    return new Customer(this.context, await this.context.newPage(), expected);
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
    await this.judge(name);
  }

  /** The same for a page that waits for something, as it stands. */
  async judge(name) {
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
      assert.deepEqual(await this.page.evaluate(faintFields), [], `${name} in ${colorScheme} has fields with a faint edge`);
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

  async logIn(email, password, next = '/account') {
    await this.page.goto(`/login?next=${next}`);
    await this.page.getByLabel('E-mail').fill(email);
    await this.page.getByLabel('Password').fill(password);
    await this.page.getByRole('button', { name: 'Log in' }).click();
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

  /** A new customer at the checkout, with one unit in the cart and a filled form. Returns the account. */
  async goToCheckout(product) {
    await this.putIntoCart(product, 1);
    await this.page.goto('/register?next=/checkout');
    const account = await this.register();
    await this.page.waitForURL('**/checkout');
    await this.fillAddress();
    return account;
  }

  /** A new customer orders one unit. Leads to the order and returns its path. */
  async order(product) {
    await this.goToCheckout(product);
    await this.pay().click();
    await this.page.getByRole('heading', { name: 'Thank you!' }).waitFor();
    return new URL(this.page.url()).pathname;
  }

  /** The shop gets the next request to this address, the page no answer to it. */
  loseAnswer(path) {
    return this.page.route(
      `**${path}`,
      async (route) => {
        await route.fetch();
        await route.abort();
      },
      { times: 1 },
    );
  }

  /** How many products the catalogue says that there are. */
  total(n) {
    const said = `${number(n)} product${n === 1 ? '' : 's'}`;
    return this.page.getByRole('main').getByText(said, { exact: true });
  }

  pay() {
    return this.page.getByRole('button', { name: /^Pay / });
  }

  cart(items) {
    return this.page.getByRole('link', { name: `Cart, ${items === 1 ? '1 item' : `${items} items`}` });
  }

  /** The demo shop's admin. */
  async logInAsAdmin() {
    await this.logIn('admin@shopmicro.example', 'demo-admin-pass', '/admin');
    await this.page.getByRole('heading', { level: 1, name: 'Overview' }).waitFor();
  }

  /** What the API answers to the page's own script. */
  call(method, path, body) {
    return this.page.evaluate(
      async ({ method, path, body }) => {
        const headers = body === undefined ? {} : { 'content-type': 'application/json' };
        const answer = await fetch(path, { method, headers, body: body && JSON.stringify(body) });
        const text = await answer.text();
        if (!answer.ok) throw new Error(`${method} ${path}: ${answer.status} ${text}`);
        return text ? JSON.parse(text) : undefined;
      },
      { method, path, body },
    );
  }

  /** An admin's product of a name that no other has. */
  makeProduct(change = {}) {
    const name = unique('Teapot');
    return this.call('POST', '/api/products', {
      sku: name,
      name,
      description: 'Holds four cups.',
      category: 'Kitchen',
      tags: ['tea'],
      price_cents: 1230,
      stock: 4,
      ...change,
    });
  }

  /** Takes a product out of the shop: it is nobody's concern in the tests that follow. */
  archive(product) {
    return this.call('DELETE', `/api/products/${product.id}`);
  }

  /** Clicks twice in one place, as a double click does, the second time when the first has had its effect. */
  async clickTwice(target, effect) {
    await target.click();
    await effect.waitFor();
    await this.page.mouse.down({ clickCount: 2 });
    await this.page.mouse.up({ clickCount: 2 });
  }

  /** Goes on by the keyboard until this has the focus. */
  async tabTo(target) {
    const there = () => target.evaluate((element) => element === document.activeElement);
    for (let presses = 0; !(await there()); presses += 1) {
      assert.ok(presses < 100, `the keyboard does not reach ${target}`);
      await this.page.keyboard.press('Tab');
    }
  }

  async leave() {
    await this.context.close();
    assert.deepEqual(this.troubles, [], 'the browser had trouble');
  }
}

/** The fields whose edge has less contrast than 3:1 against what is in it and around it: WCAG 1.4.11. Run in the page. */
function faintFields() {
  const context = document.createElement('canvas').getContext('2d', { willReadFrequently: true });
  const pixel = (colour) => {
    context.clearRect(0, 0, 1, 1);
    context.fillStyle = colour;
    context.fillRect(0, 0, 1, 1);
    return [...context.getImageData(0, 0, 1, 1).data].map((value) => value / 255);
  };
  const luminance = (colour) => {
    const [red, green, blue] = pixel(colour).map((value) => (value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4));
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
  };
  const contrast = (...colours) => {
    const [dark, bright] = colours.map(luminance).sort((a, b) => a - b);
    return (bright + 0.05) / (dark + 0.05);
  };
  const ground = (element) => {
    const { backgroundColor } = getComputedStyle(element);
    return pixel(backgroundColor)[3] > 0.5 ? backgroundColor : ground(element.parentElement);
  };
  const edged = (element) => (parseFloat(getComputedStyle(element).borderTopWidth) > 0 ? element : edged(element.parentElement));
  return [...document.querySelectorAll('input:not([type=checkbox], [type=radio], [type=file]), select, textarea')]
    .filter((field) => field.checkVisibility())
    .map(edged)
    .filter((field) => {
      const edge = getComputedStyle(field).borderTopColor;
      return [field, field.parentElement].some((around) => contrast(edge, ground(around)) < 3);
    })
    .map((field) => field.outerHTML.slice(0, 120));
}

/** An answer that waits until it is released. */
export function held() {
  let release;
  const answer = new Promise((resolve) => {
    release = resolve;
  });
  return { answer, release };
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
