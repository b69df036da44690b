// A page of somebody else's, open in the browser of a customer who is logged in: it can change nothing and read nothing.

import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import { after, before, test } from 'node:test';
import { aProduct, Customer, DEVICES, launch, SHOP } from './browser.js';

let browser;
let server;
before(async () => {
  browser = await launch();
  server = createServer((_, response) => {
    response.setHeader('content-type', 'text/html');
    response.end('<!doctype html><title>Win a prize</title><iframe name="hidden"></iframe>');
  });
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
});
after(async () => {
  await browser?.close();
  server?.close();
});

/** Everything that a page can do to another site, in the page. Returns what it could read. */
async function attack({ shop, productId }) {
  const results = {};
  const frame = document.querySelector('iframe');
  const submit = (name, action, enctype, field) =>
    new Promise((resolve) => {
      const form = document.createElement('form');
      Object.assign(form, { method: 'post', action: `${shop}${action}`, enctype, target: 'hidden' });
      const input = document.createElement('input');
      [input.name, input.value] = field;
      form.append(input);
      document.body.append(form);
      frame.addEventListener('load', () => resolve(), { once: true });
      form.submit();
      results[name] = 'sent';
    });
  await submit('form', '/api/users/logout', 'application/x-www-form-urlencoded', ['a', 'b']);
  // The body of such a form can be made to look like JSON.
  await submit('json form', '/api/users/logout', 'text/plain', ['{"a":"', '"}']);

  const ways = [
    ['logout', 'POST', '/api/users/logout', undefined],
    ['all sessions', 'DELETE', '/api/users/me/sessions', undefined],
    ['put', 'PUT', `/api/cart/items/${productId}`, '{"quantity":9}'],
    ['delete', 'DELETE', `/api/cart/items/${productId}`, undefined],
    ['rename', 'PATCH', '/api/users/me', '{"name":"Mallory"}'],
    ['order', 'POST', '/api/orders', '{}'],
    ['read', 'GET', '/api/users/me', undefined],
  ];
  for (const [name, method, path, body] of ways) {
    for (const mode of ['cors', 'no-cors']) {
      const type = mode === 'cors' ? 'application/json' : 'text/plain';
      const headers = body === undefined ? {} : { 'content-type': type };
      try {
        const answer = await fetch(`${shop}${path}`, { method, mode, body, headers, credentials: 'include' });
        results[`${name}, ${mode}`] = answer.type === 'opaque' ? 'opaque' : await answer.text();
      } catch {
        results[`${name}, ${mode}`] = 'refused';
      }
    }
  }
  return results;
}

// Another port of the same host is the same site to SameSite cookies: they come along, and only the shop can refuse.
for (const [relation, host] of [
  ['another site', 'localhost'],
  ['another origin of the same site', '127.0.0.1'],
]) {
  for (const [device, options] of DEVICES) {
    test(`a page of ${relation} changes and reads nothing on a ${device}`, { timeout: 300_000 }, async () => {
      const customer = await Customer.arrive(browser, options);
      const { page, context } = customer;
      const product = await aProduct();
      await customer.putIntoCart(product, 2);
      await page.goto('/register');
      const { email } = await customer.register();
      await page.getByRole('link', { name: 'Cart, 2 items' }).waitFor();

      const hostile = await context.newPage();
      const statuses = [];
      hostile.on('response', (response) => {
        if (response.url().startsWith(SHOP)) statuses.push(response.status());
      });
      await hostile.goto(`http://${host}:${server.address().port}/`);
      const shop = SHOP.replace(/\/$/, '');
      const results = await hostile.evaluate(attack, { shop, productId: product.id });
      for (const [what, result] of Object.entries(results)) {
        assert.ok(['sent', 'opaque', 'refused'].includes(result), `${what}: ${result}`);
      }
      // The forms' requests reach the shop, if the browser tells of each in time; of the others it shows no answer.
      assert.ok(statuses.length > 0 && statuses.every((status) => status === 403), `${statuses}`);

      const now = await page.evaluate(async () => {
        const json = async (path) => (await fetch(path)).json();
        return { me: await json('/api/users/me'), cart: await json('/api/cart'), orders: await json('/api/orders') };
      });
      assert.equal(now.me.email, email.toLowerCase());
      assert.equal(now.me.name, 'Grace Hopper');
      assert.equal(now.cart.item_count, 2);
      assert.equal(now.orders.items.length, 0);

      // The shop's own page can do all that.
      const status = await page.evaluate(async () => (await fetch('/api/users/logout', { method: 'POST' })).status);
      assert.equal(status, 204);
      await hostile.close();
      await customer.leave();
    });

    test(`a page of ${relation} cannot frame the shop on a ${device}`, { timeout: 300_000 }, async () => {
      const customer = await Customer.arrive(browser, options);
      const { page } = customer;
      const own = `http://${host}:${server.address().port}/`;
      await page.goto(own);
      /** Where a frame of the page ends up. */
      const framed = async (address) => {
        const element = await page.evaluateHandle(async (address) => {
          const frame = document.createElement('iframe');
          frame.src = address;
          const loaded = new Promise((resolve) => frame.addEventListener('load', resolve));
          document.body.append(frame);
          await loaded;
          return frame;
        }, address);
        const frame = await element.contentFrame();
        // Where the browser puts a page of its own there, we are told a moment later.
        while (frame.url() === '') await new Promise((resolve) => setTimeout(resolve, 20));
        return frame.url();
      };
      assert.equal(await framed(own), own);
      assert.deepEqual(customer.troubles, []);
      for (const path of ['/', '/checkout', '/api/cart']) {
        const refusal = page.waitForEvent('console');
        assert.equal(await framed(new URL(path, SHOP).href), 'chrome-error://chromewebdata/');
        assert.match((await refusal).text(), /frame-ancestors/);
      }
      // Nothing else is wrong.
      assert.equal(customer.troubles.splice(0).length, 3);
      await customer.leave();
    });
  }
}
