// The keyboard alone is enough, and the focus and the title follow what is shown.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { api, aProduct, Customer, KEYBOARDS, launch, number } from './browser.js';

let browser;
before(async () => {
  browser = await launch();
});
after(() => browser?.close());

for (const [where, options] of KEYBOARDS) {
  test(`a keyboard alone checks out ${where}`, { timeout: 300_000 }, async () => {
    const product = await aProduct();
    const customer = await Customer.arrive(browser, options);
    const { page } = customer;
    const { keyboard } = page;
    const enter = async (target) => {
      await customer.tabTo(target);
      await keyboard.press('Enter');
    };
    const type = async (label, text) => {
      await customer.tabTo(page.getByLabel(label, { exact: true }));
      await keyboard.press('Control+A');
      await keyboard.type(text);
    };
    await page.goto(`/products/${product.id}`);
    await type('Quantity', '2');
    await enter(page.getByRole('button', { name: 'Add to cart' }));
    await page.getByText('2 items added.').waitFor();

    // The drawer takes the focus and keeps it until it is closed.
    await enter(customer.cart(2));
    const drawer = page.getByRole('dialog', { name: 'Your cart' });
    const less = drawer.getByRole('button', { name: 'One less' });
    await customer.tabTo(less);
    await keyboard.press('Space');
    await customer.cart(1).waitFor({ state: 'attached' });
    await enter(drawer.getByRole('link', { name: 'Check out' }));

    // A new customer comes from the login to the registration.
    await page.getByRole('heading', { level: 1, name: 'Welcome back' }).waitFor();
    await enter(page.getByRole('link', { name: 'Create an account' }));
    await page.getByRole('button', { name: 'Create account' }).waitFor();
    await type('Name', 'Grace Hopper');
    await type('E-mail', `keyboard-${Date.now()}@example.com`);
    await type('Password', 'a few words in a row');
    await keyboard.press('Enter');

    await page.waitForURL('**/checkout');
    await customer.pay().waitFor();
    await type('Street and number', '1 Compiler Court');
    await type('Postcode', 'D02 X285');
    await type('Town or city', 'Dublin');
    await customer.tabTo(page.getByLabel('Country', { exact: true }));
    await keyboard.type('Ireland');
    const card = page.getByRole('button', { name: /^Approved/ });
    await customer.tabTo(card);
    await keyboard.press('Space');
    assert.equal(await card.getAttribute('aria-pressed'), 'true');
    await enter(customer.pay());
    await page.getByRole('heading', { name: 'Thank you!' }).waitFor();
    await page.getByText('Your order is paid').waitFor();
    await page.getByText('Ireland').waitFor();
    await customer.leave();
  });

  test(`the filters are set and taken away by a keyboard alone ${where}`, { timeout: 300_000 }, async () => {
    const { categories } = await api('/api/products/facets');
    const category = categories.items[0];
    const within = await api('/api/products/facets', { category: category.value });
    const band = within.prices.items.find((band) => band.count > 0 && band.max_price_cents);
    const limits = { min_price_cents: band.min_price_cents, max_price_cents: band.max_price_cents };
    const both = await api('/api/products/facets', { category: category.value, ...limits });
    const customer = await Customer.arrive(browser, options);
    const { page } = customer;
    const { keyboard } = page;
    await page.goto('/products');
    const filters = page.getByRole('navigation', { name: 'Categories' });
    await customer.tabTo(filters.getByRole('link', { name: `${category.value} ${number(category.count)}`, exact: true }));
    await keyboard.press('Enter');
    await customer.total(category.count).waitFor();
    // They are behind a button where there is little room.
    const more = page.getByRole('button', { name: 'Price and tags' });
    if (await more.isVisible()) {
      await customer.tabTo(more);
      await keyboard.press('Enter');
    }
    await customer.tabTo(page.getByLabel('Lowest price'));
    await keyboard.type(String(band.min_price_cents / 100));
    await keyboard.press('Tab');
    await keyboard.type(String(band.max_price_cents / 100));
    await keyboard.press('Enter');
    await customer.total(both.total.value).waitFor();
    const inStock = page.getByLabel('In stock only');
    await customer.tabTo(inStock);
    await keyboard.press('Space');
    await page.waitForURL((url) => url.searchParams.get('in_stock') === 'true');
    // The box is where it was, and so is the focus.
    assert.ok(await inStock.evaluate((box) => box.checked && box === document.activeElement));
    await keyboard.press('Space');
    await page.waitForURL((url) => !url.searchParams.has('in_stock'));
    await customer.tabTo(page.getByLabel('Sort'));
    await keyboard.type('Price, high');
    await page.waitForURL((url) => url.searchParams.get('sort') === '-price');
    await customer.tabTo(page.getByRole('list', { name: 'Filters' }).getByRole('link', { name: /^Remove / }));
    await keyboard.press('Enter');
    await customer.total(category.count).waitFor();
    await customer.tabTo(filters.getByRole('link').first());
    await keyboard.press('Enter');
    await page.waitForURL((url) => url.search === '?sort=-price');
    await customer.leave();
  });

  test(`a new page has its own title ${where}, and the focus begins there`, { timeout: 300_000 }, async () => {
    const product = await aProduct();
    const customer = await Customer.arrive(browser, options);
    const { page } = customer;
    const arrived = async (title) => {
      await page.waitForFunction((title) => document.title === title && document.activeElement?.id === 'main', title);
    };
    await page.goto('/');
    await page.getByRole('link', { name: 'Shop', exact: true }).click();
    await arrived('All products · ShopMicro');
    const box = page.getByRole('combobox', { name: 'Search products' });
    await box.fill(product.name);
    await box.press('Enter');
    await page.waitForFunction((title) => document.title === title, `“${product.name}” · ShopMicro`);
    await page.getByRole('article').getByRole('link', { name: product.name, exact: true }).first().click();
    await arrived(`${product.name} · ShopMicro`);
    await page.goBack();
    await arrived(`“${product.name}” · ShopMicro`);
    await page.getByRole('link', { name: 'ShopMicro, home' }).click();
    await arrived('ShopMicro');
    await page.getByRole('link', { name: 'Log in' }).click();
    await arrived('Log in · ShopMicro');
    await customer.leave();
  });
}
