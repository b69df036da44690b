// Payments that do not end at once: the page follows them by itself.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { api, aProduct, Customer, DEVICES, launch } from './browser.js';

let browser;
before(async () => {
  browser = await launch();
});
after(() => browser?.close());

/** Pays for one unit of a product by the test card of this name; leads to the order. */
async function pay(options, product, card) {
  const customer = await Customer.arrive(browser, options);
  const { page } = customer;
  await customer.goToCheckout(product);
  await page.getByRole('button', { name: card }).click();
  await customer.pay().click();
  await page.getByText('Your bank has not answered yet.').waitFor();
  await page.getByRole('main').getByText('Payment pending', { exact: true }).waitFor();
  return customer;
}

for (const [device, options] of DEVICES) {
  test(`a payment that times out leaves an order that can be cancelled, on a ${device}`, { timeout: 300_000 }, async () => {
    const product = await aProduct();
    const stock = async () => (await api(`/api/products/${product.id}`)).stock;
    const before = await stock();
    const customer = await pay(options, product, /^Bank is slow/);
    const { page } = customer;
    await customer.look('pending');
    assert.equal(await stock(), before - 1, 'what is not paid yet is set aside');
    // A reload shows the same, and the cart is empty: nothing can be paid twice.
    await page.reload();
    await page.getByText('Your bank has not answered yet.').waitFor();
    await customer.cart(0).waitFor();
    await page.getByRole('button', { name: 'Cancel order' }).click();
    await page.getByRole('button', { name: 'Yes, cancel it' }).click();
    await page.getByText('Cancelled', { exact: true }).waitFor();
    assert.equal(await stock(), before, 'what was cancelled is back');
    await customer.leave();
  });

  test(`what the button says is what is paid, on a ${device}`, { timeout: 300_000 }, async () => {
    const product = await aProduct();
    const customer = await Customer.arrive(browser, options, ['409 /api/orders']);
    const { page } = customer;
    await customer.goToCheckout(product);
    const shown = await customer.pay().innerText();
    // As in another tab, of which this page knows nothing.
    await customer.call('PUT', `/api/cart/items/${product.id}`, { quantity: 2 });
    await customer.pay().click();
    await page.getByText('The total has changed.').waitFor();
    await customer.cart(2).waitFor();
    await customer.look('total-changed');
    const now = await customer.pay().innerText();
    assert.notEqual(now, shown);
    await customer.pay().click();
    await page.getByRole('heading', { name: 'Thank you!' }).waitFor();
    await page.getByRole('main').getByText(now.replace('Pay ', ''), { exact: true }).first().waitFor();
    await customer.leave();
  });

  test(`an order is shown though its cart was seen empty before the answer came, on a ${device}`, { timeout: 300_000 }, async () => {
    const customer = await Customer.arrive(browser, options, ['503 /api/orders']);
    const { page } = customer;
    await customer.goToCheckout(await aProduct());
    // What failed once has the page ask for the cart again, which is answered after the order is placed and before that is
    // known.
    let attempts = 0;
    let tellPlaced;
    const placed = new Promise((resolve) => {
      tellPlaced = resolve;
    });
    await page.route('**/api/cart', async (route) => {
      await placed;
      await route.continue();
    });
    await page.route('**/api/orders', async (route) => {
      attempts += 1;
      if (attempts === 1) return route.fulfill({ status: 503, contentType: 'application/problem+json', body: '{}' });
      const answer = await route.fetch();
      tellPlaced();
      await page.getByText('We lost sight of your order').waitFor();
      await route.fulfill({ response: answer });
    });
    await customer.pay().click();
    await page.getByText('Paying again is safe').waitFor();
    await customer.pay().click();
    await page.getByRole('heading', { name: 'Thank you!' }).waitFor();
    await customer.leave();
  });

  test(`a payment whose answer was lost turns out to be paid, on a ${device}`, { timeout: 300_000 }, async () => {
    const customer = await pay(options, await aProduct(), /^Answer lost/);
    const { page } = customer;
    // Nobody touches the page.
    await page.getByRole('heading', { name: 'Thank you!' }).waitFor();
    await page.getByText('Your order is paid').waitFor();
    await page.getByRole('main').getByRole('link', { name: 'Your orders', exact: true }).click();
    await page.getByRole('heading', { level: 1, name: 'Your orders' }).waitFor();
    await page.getByRole('main').getByText('Paid', { exact: true }).waitFor();
    assert.equal(await page.getByRole('main').getByRole('listitem').count(), 1);
    await customer.leave();
  });
}
