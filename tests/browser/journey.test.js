// A customer's whole way through the shop, on a desktop and on a phone.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { aProduct, Customer, DEVICES, launch } from './browser.js';

let browser;
before(async () => {
  browser = await launch();
});
after(() => browser?.close());

for (const [device, options] of DEVICES) {
  test(`the customer's journey on a ${device}`, { timeout: 300_000 }, async () => {
    const product = await aProduct();
    const customer = await Customer.arrive(browser, options, ['402 /api/orders']);
    const { page } = customer;

    // Home.
    const answer = await page.goto('/');
    const policy = answer.headers()['content-security-policy'] ?? '';
    assert.match(policy, /default-src 'self'/);
    assert.doesNotMatch(policy, /unsafe-/);
    await page.getByRole('heading', { level: 1 }).waitFor();
    await page.getByRole('region', { name: 'Popular right now' }).getByRole('article').first().waitFor();
    assert.ok((await page.getByRole('region', { name: 'Find your corner' }).getByRole('link').count()) > 0);
    await customer.look('home');

    // Search: the address keeps it.
    await page.getByRole('combobox', { name: 'Search products' }).fill(product.name);
    await page.keyboard.press('Enter');
    await page.waitForURL((url) => url.searchParams.get('q') === product.name);
    const hit = page.getByRole('article').getByRole('link', { name: product.name, exact: true }).first();
    await hit.waitFor();
    await customer.look('search');

    // Filters join the search in the address, and survive a reload.
    await page
      .getByRole('navigation', { name: 'Categories' })
      .getByRole('link')
      .filter({ hasText: new RegExp(`^${escape(product.category)} [\\d,]+$`) })
      .click();
    await page.waitForURL((url) => url.searchParams.get('category') === product.category);
    await page.getByLabel('In stock only').check();
    await page.waitForURL((url) => url.searchParams.get('in_stock') === 'true');
    await page.getByLabel('Sort').selectOption('Price, high to low');
    await page.waitForURL((url) => url.searchParams.get('sort') === '-price');
    await page.reload();
    await hit.waitFor();
    assert.equal(await page.getByLabel('In stock only').isChecked(), true);
    assert.equal(await page.getByRole('combobox', { name: 'Search products' }).inputValue(), product.name);
    await customer.look('filtered');

    // The product, and what is like it.
    await hit.click();
    await page.getByRole('heading', { level: 1, name: product.name }).waitFor();
    await page.getByRole('region', { name: 'Similar products' }).getByRole('article').first().waitFor();
    await customer.look('product');

    // A guest's cart.
    await page.getByRole('button', { name: 'One more' }).click();
    await page.getByRole('button', { name: 'Add to cart' }).click();
    await page.getByText('2 items added.').waitFor();
    await customer.cart(2).click();
    await page.getByRole('button', { name: `Remove ${product.name}` }).waitFor();
    await customer.look('cart');

    // The checkout needs an account; the cart comes along.
    await page.getByRole('link', { name: 'Check out' }).click();
    await page.getByRole('heading', { name: 'Welcome back' }).waitFor();
    await customer.look('login');
    await page.getByRole('link', { name: 'Create an account' }).click();
    await customer.look('register');
    const { email, password } = await customer.register();
    await page.waitForURL('**/checkout');
    await page.getByRole('region', { name: 'Your order' }).getByText(`2 × ${product.name}`).waitFor();
    await customer.look('checkout');

    // A declined card takes nothing, not even the cart.
    await customer.fillAddress();
    await page.getByRole('button', { name: /^Declined/ }).click();
    await customer.pay().click();
    await page.getByRole('alert').getByText('Your card was declined.').waitFor();
    await customer.cart(2).waitFor();
    await customer.look('declined');

    // Another one pays.
    await page.getByRole('button', { name: /^Approved/ }).click();
    await customer.pay().click();
    await page.getByRole('heading', { name: 'Thank you!' }).waitFor();
    await page.waitForURL(/\/orders\/[0-9a-f-]{36}$/);
    const order = new URL(page.url()).pathname;
    await customer.cart(0).waitFor();
    await customer.look('order');

    // Both tries are in the history.
    await page.getByRole('main').getByRole('link', { name: 'Your orders', exact: true }).click();
    await page.getByText('Payment declined').waitFor();
    await page.getByText('Paid', { exact: true }).waitFor();
    await customer.look('orders');
    await page.getByRole('listitem').filter({ hasText: 'Payment declined' }).getByRole('link').click();
    await page.getByRole('status').getByText('nothing was charged').waitFor();
    await customer.look('declined-order');

    // What was bought leads to recommendations with reasons, beside what is popular.
    await recommended(page);
    const answered = page.waitForResponse((answer) => new URL(answer.url()).pathname === '/api/recommendations');
    await page.getByRole('link', { name: 'ShopMicro, home' }).click();
    const { items } = await (await answered).json();
    const own = page.getByRole('region', { name: 'Recommended for you' }).getByRole('article');
    await own.first().waitFor();
    const shown = await own.evaluateAll((cards) =>
      cards.map((card) => [card.querySelector('h3').textContent, card.querySelector('p:last-of-type').textContent]),
    );
    assert.ok(shown.length > 0);
    assert.ok(items.every(({ reason }) => reason), 'a recommendation has no reason');
    assert.deepEqual(shown, items.slice(0, shown.length).map(({ product, reason }) => [product.name, reason]));
    await page.getByRole('region', { name: 'Popular right now' }).getByRole('article').first().waitFor();
    await customer.look('home-recommended');

    // Out, and in again.
    await page.getByRole('link', { name: 'Account', exact: true }).click();
    await page.getByRole('heading', { name: 'Hello, Grace Hopper' }).waitFor();
    await customer.look('account');
    await page.getByRole('button', { name: 'Log out', exact: true }).click();
    await page.getByRole('link', { name: 'Log in' }).first().waitFor();
    await page.goto(order);
    await page.getByRole('heading', { name: 'Welcome back' }).waitFor();
    await page.getByLabel('E-mail').fill(email);
    await page.getByLabel('Password').fill(password);
    await page.getByRole('button', { name: 'Log in' }).click();
    await page.getByRole('heading', { level: 1, name: /^Order / }).waitFor();

    // Second thoughts.
    await page.getByRole('button', { name: 'Cancel order' }).click();
    await page.getByRole('button', { name: 'Yes, cancel it' }).click();
    await page.getByText('Cancelled', { exact: true }).waitFor();
    await page.getByRole('status').getByText('This order is cancelled.').waitFor();
    await page.waitForFunction(() => document.activeElement?.matches('h1'));
    await customer.look('cancelled');

    await page.goto('/no/such/page');
    await page.getByRole('heading', { name: 'There is nothing here' }).waitFor();
    await customer.look('not-found');
    await customer.leave();
  });
}

/** Text as a regular expression that matches it. */
function escape(text) {
  return text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
}

/** Waits until the recommender has heard of what was bought; the page is left as it is. */
async function recommended(page) {
  const strategy = () => page.evaluate(async () => (await (await fetch('/api/recommendations')).json()).strategy);
  while ((await strategy()) !== 'personal');
}
