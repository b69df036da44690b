// What holds for pages as such: the keyboard reaches them, and they report how they fare.

import assert from 'node:assert/strict';
import { get } from 'node:http';
import { after, before, test } from 'node:test';
import { aProduct, Customer, DESKTOP, DEVICES, held, KEYBOARDS, launch, SHOP } from './browser.js';

let browser;
before(async () => {
  browser = await launch();
});
after(() => browser?.close());

for (const [where, options] of KEYBOARDS) {
  test(`the keyboard alone is enough ${where}`, { timeout: 300_000 }, async () => {
    const customer = await Customer.arrive(browser, options);
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
}

test('pages report their vitals by route template', { timeout: 300_000 }, async () => {
  const customer = await Customer.arrive(browser, DESKTOP);
  const { page } = customer;
  await draw(page, 0);
  const reported = report(page);
  await page.goto(`/products/${(await aProduct()).id}`);
  const { metrics, traces, errors } = await reported;
  assert.ok(metrics.some((metric) => metric.name === 'TTFB'));
  assert.ok(traces.some((span) => span.name === 'page_load'));
  assert.deepEqual(new Set([...metrics, ...traces].map(({ page }) => page)), new Set(['/products/{id}']));
  assert.deepEqual(errors, []);
  await customer.leave();
});

test('a page that is not drawn to be measured tells of its errors alone', { timeout: 300_000 }, async () => {
  const customer = await Customer.arrive(browser, DESKTOP);
  const { page } = customer;
  await draw(page, 0.99);
  const scripts = scriptsOf(page);
  const reported = report(page);
  await page.goto('/');
  await customer.settled();
  await page.evaluate(() => setTimeout(() => {
    throw new TypeError('of the test');
  }));
  // It is sent later than a page begins to be measured.
  const { metrics, traces, errors } = await reported;
  assert.deepEqual(metrics, []);
  assert.deepEqual(traces, []);
  assert.deepEqual(errors, [{ message: 'TypeError: of the test', page: '/' }]);
  assert.deepEqual([...scripts].filter((path) => path.includes('/measure-')), []);
  assert.deepEqual(customer.troubles.splice(0), ['uncaught: of the test']);
  await customer.leave();
});

/** Decides what the page draws by lot: 0 is measured, and what is near 1 is not. */
function draw(page, number) {
  return page.addInitScript((number) => {
    Math.random = () => number;
  }, number);
}

/** The next report of the page, once it was taken. */
async function report(page) {
  const response = await page.waitForResponse((response) => response.url().endsWith('/api/frontend-metrics'));
  assert.equal(response.status(), 202);
  return response.request().postDataJSON();
}

test('what a page or a click asks for is one trace, which nginx and the services go on with', { timeout: 300_000 }, async () => {
  const customer = await Customer.arrive(browser, DESKTOP);
  const { page } = customer;
  const asked = [];
  page.on('request', (request) => {
    const path = new URL(request.url()).pathname;
    const called = path.startsWith('/api/') && request.resourceType() === 'fetch';
    if (called && path !== '/api/frontend-metrics') asked.push({ at: page.url(), trace: request.headers().traceparent });
  });
  const product = await aProduct();
  await page.goto(`/products/${product.id}`);
  const add = page.getByRole('button', { name: 'Add to cart' });
  await add.waitFor();
  await customer.settled();
  const traces = [asked.splice(0)];
  for (const units of [1, 2]) {
    await add.click();
    await customer.cart(units).waitFor();
    await add.and(page.locator(':enabled')).waitFor();
    traces.push(asked.splice(0));
  }
  await page.getByRole('link', { name: 'Shop', exact: true }).click();
  await page.getByRole('article').first().waitFor();
  await customer.settled();
  traces.push(asked);
  const ids = traces.map((calls) => {
    assert.ok(calls.length > 1);
    for (const { trace } of calls) assert.match(trace ?? '', /^00-[0-9a-f]{32}-[0-9a-f]{16}-01$/);
    // Every call is a span of its own.
    assert.equal(new Set(calls.map(({ trace }) => trace)).size, calls.length);
    return new Set(calls.map(({ trace }) => trace.slice(3, 35)));
  });
  assert.deepEqual(ids.map(({ size }) => size), [1, 1, 1, 1]);
  assert.equal(new Set(ids.flatMap((trace) => [...trace])).size, ids.length);
  await customer.leave();
});

for (const [device, options] of DEVICES) {
  test(`nothing moves on a ${device} when what a page waited for is there`, { timeout: 300_000 }, async () => {
    const customer = await Customer.arrive(browser, options);
    const { page } = customer;
    await page.addInitScript(() => {
      window.moved = 0;
      new PerformanceObserver((list) => {
        for (const shift of list.getEntries()) if (!shift.hadRecentInput) window.moved += shift.value;
      }).observe({ type: 'layout-shift', buffered: true });
    });
    // What is in a cart, an order and an account take room as well.
    const product = await aProduct();
    await customer.putIntoCart(product, 1);
    await page.goto('/register?next=/checkout');
    await customer.register();
    await page.waitForURL('**/checkout');
    await customer.fillAddress();
    await customer.pay().click();
    await page.getByRole('heading', { name: 'Thank you!' }).waitFor();
    await customer.putIntoCart(product, 1);
    const paths = ['/', '/products', `/products/${product.id}`, '/cart', '/checkout', '/orders', '/account'];
    for (const path of paths) {
      const { answer, release } = held();
      await page.route('**/api/**', async (route) => {
        await answer;
        await route.continue();
      });
      await page.goto(path);
      await page.getByRole('status', { name: /^Loading/ }).first().waitFor();
      await page.evaluate(() => document.fonts.ready);
      release();
      await customer.settled();
      // Two frames later, what has moved was told of.
      await page.evaluate(() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done))));
      const moved = await page.evaluate(() => window.moved);
      assert.ok(moved <= 0.05, `${path} moves by ${moved}`);
      await page.unrouteAll({ behavior: 'wait' });
    }
    await customer.leave();
  });
}

test('a first visit is little script, measured or not', { timeout: 300_000 }, async () => {
  const visitor = await Customer.arrive(browser, DESKTOP);
  await draw(visitor.page, 0.99);
  const scripts = scriptsOf(visitor.page);
  await visitor.page.goto('/');
  await visitor.settled();
  let bytes = 0;
  for (const path of scripts) {
    const answer = await packed(path);
    assert.equal(answer.headers['content-encoding'], 'gzip');
    bytes += answer.bytes;
  }
  assert.ok(scripts.size > 0 && bytes > 0);
  assert.ok(bytes <= 110_000, `a visit begins with ${bytes} bytes of script`);
  await visitor.leave();

  // What measures a page comes when all else is there, and is no part of what a visitor waits for; it is all that comes.
  const measured = await Customer.arrive(browser, DESKTOP);
  await draw(measured.page, 0);
  const all = scriptsOf(measured.page);
  const measuring = measured.page.waitForRequest('**/assets/measure-*.js');
  await measured.page.goto('/');
  await measured.settled();
  const begun = [...all].filter((path) => !path.includes('/measure-'));
  assert.deepEqual(new Set(begun), scripts);
  await measuring;
  const more = [...all].filter((path) => !scripts.has(path));
  assert.equal(more.length, 1, `${more}`);
  assert.ok((await packed(more[0])).bytes <= 4_000);
  await measured.leave();
});

test('a customer’s visit asks for none of the admins’ script', { timeout: 300_000 }, async () => {
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

for (const [device, options] of DEVICES) {
  test(`a link brings its page without a wait on a ${device}, and the page before stays meanwhile`, { timeout: 300_000 }, async () => {
    const customer = await Customer.arrive(browser, options);
    const { page } = customer;
    await page.goto('/');
    await customer.settled();
    // Whoever points at a link, or comes to it by the keyboard, has its page's script before it is followed.
    const logIn = page.getByRole('link', { name: 'Log in', exact: true });
    const early = page.waitForResponse('**/assets/login-*.js');
    await logIn.hover();
    await early;
    await page.evaluate(() => {
      window.waits = 0;
      new MutationObserver(() => {
        if (document.querySelector('main [data-loading]')) window.waits += 1;
      }).observe(document.body, { childList: true, subtree: true });
      // However slow this machine is, it is soon: PATIENCE_MS in app/routes.tsx never passes.
      const real = window.setTimeout;
      window.setTimeout = (work, ms, ...rest) => real(ms === 200 ? () => {} : work, ms, ...rest);
      window.patient = () => {
        window.setTimeout = real;
      };
    });
    await logIn.click();
    await page.getByRole('heading', { level: 1, name: 'Welcome back' }).waitFor();
    const next = page.waitForResponse('**/assets/register-*.js');
    await page.getByRole('link', { name: 'Create an account' }).focus();
    await next;
    await page.keyboard.press('Enter');
    await page.getByRole('heading', { level: 1, name: 'Create an account' }).waitFor();
    assert.equal(await page.evaluate(() => window.waits), 0);
    await page.evaluate(() => window.patient());

    // One that is on its way for long is seen to come.
    const script = held();
    await page.route('**/assets/orders-*.js', async (route) => {
      await script.answer;
      await route.continue();
    });
    await page.getByRole('link', { name: 'Your orders' }).click();
    await page.getByRole('main').getByRole('status', { name: 'Loading' }).waitFor();
    script.release();
    await page.getByRole('heading', { level: 1, name: 'Welcome back' }).waitFor();
    await customer.leave();
  });
}

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
