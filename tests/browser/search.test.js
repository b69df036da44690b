// Ways to a product: the search box, the filters, what was looked at before.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { api, aProduct, Customer, DEVICES, KEYBOARDS, launch, money, number } from './browser.js';

let browser;
before(async () => {
  browser = await launch();
});
after(() => browser?.close());

for (const [where, options] of KEYBOARDS) {
  test(`the search box helps while one types, by keyboard alone ${where}`, { timeout: 300_000 }, async () => {
    const product = await aProduct();
    const customer = await Customer.arrive(browser, options);
    const { page } = customer;
    await page.goto('/');
    const box = page.getByRole('combobox', { name: 'Search products' });
    const list = page.getByRole('listbox', { name: 'Suggestions' });
    const option = list.getByRole('option', { name: product.name, exact: true }).first();
    await box.pressSequentially(product.name);
    await option.waitFor();
    assert.equal(await box.getAttribute('aria-expanded'), 'true');

    // Escape closes, the arrows open again and go round, and what is chosen is said.
    await page.keyboard.press('Escape');
    await list.waitFor({ state: 'hidden' });
    await page.keyboard.press('ArrowDown');
    await option.waitFor();
    await page.keyboard.press('ArrowUp');
    await page.keyboard.press('ArrowDown');
    const chosen = list.getByRole('option', { selected: true });
    for (;;) {
      await page.keyboard.press('ArrowDown');
      const active = await box.getAttribute('aria-activedescendant');
      assert.ok(active, `${product.name} is not among the suggestions`);
      assert.equal(await chosen.getAttribute('id'), active);
      if ((await chosen.textContent()) === product.name) break;
    }
    await customer.look('suggestions');
    await page.keyboard.press('Enter');
    await page.getByRole('heading', { level: 1, name: product.name }).waitFor();
    await customer.leave();
  });
}

for (const [device, options] of DEVICES) {
  test(`a typing error is forgiven on a ${device}`, { timeout: 300_000 }, async () => {
    const product = await aProduct();
    const customer = await Customer.arrive(browser, options);
    const { page } = customer;
    await page.goto('/');
    // One letter twice in the longest word.
    const word = product.name.split(/\W+/).reduce((longest, word) => (word.length > longest.length ? word : longest));
    const misspelt = `${word.slice(0, 3)}${word.slice(2)}`;
    const box = page.getByRole('combobox', { name: 'Search products' });
    await box.fill(product.name.replace(word, misspelt));
    await page.keyboard.press('Enter');
    await page.getByRole('article').getByRole('link', { name: product.name, exact: true }).first().waitFor();

    // Also while it is being typed, the last letter still to come.
    await box.fill('');
    await box.pressSequentially(product.name.replace(word, misspelt).slice(0, -1));
    await page.getByRole('option', { name: product.name, exact: true }).first().click();
    await page.getByRole('heading', { level: 1, name: product.name }).waitFor();
    await customer.leave();
  });

  test(`filters narrow the list on a ${device}, and their address can be shared`, { timeout: 300_000 }, async () => {
    const facets = await api('/api/products/facets');
    const tag = facets.tags.items[0];
    const beside = await api('/api/products/facets', { tag: tag.value });
    const band = beside.prices.items.find((band) => band.count > 0 && band.max_price_cents);
    const customer = await Customer.arrive(browser, options);
    const { page } = customer;
    await page.goto('/products');
    await customer.total(facets.total.value).waitFor();
    if (device === 'phone') await page.getByRole('button', { name: 'Price and tags' }).click();
    await page.getByRole('region', { name: 'Tags' }).getByRole('link', { name: `${tag.value} ${number(tag.count)}`, exact: true }).click();
    await customer.total(tag.count).waitFor();
    const both = await api('/api/products/facets', {
      tag: tag.value,
      min_price_cents: band.min_price_cents,
      max_price_cents: band.max_price_cents,
    });
    await page.getByLabel('Lowest price').fill(String(band.min_price_cents / 100));
    await page.getByLabel('Highest price').fill(String(band.max_price_cents / 100));
    await page.getByRole('region', { name: 'Price' }).getByRole('button', { name: 'Go' }).click();
    await customer.total(both.total.value).waitFor();
    await customer.look('facets');

    // Somebody else sees the same.
    const friend = await Customer.arrive(browser, options);
    await friend.page.goto(page.url());
    await friend.total(both.total.value).waitFor();
    await friend.leave();

    // "Back" takes the price away, and the tag can be taken away by hand.
    await page.goBack();
    await customer.total(tag.count).waitFor();
    await page.getByRole('link', { name: `Remove ${tag.value}` }).click();
    await customer.total(facets.total.value).waitFor();
    await customer.leave();
  });

  test(`a list goes on page by page on a ${device}, and "back" leads to the place one left`, { timeout: 300_000 }, async () => {
    const customer = await Customer.arrive(browser, options);
    const { page } = customer;
    await page.goto('/products');
    await page.getByRole('button', { name: 'Load more' }).click();
    const article = page.getByRole('article').nth(30);
    const name = await article.getByRole('link').textContent();
    await article.scrollIntoViewIfNeeded();
    const before = await page.evaluate(() => scrollY);
    assert.ok(before > 0);
    await article.getByRole('link').click();
    await page.getByRole('heading', { level: 1, name }).waitFor();
    assert.equal(await page.evaluate(() => scrollY), 0);
    await page.goBack();
    await page.waitForFunction((before) => Math.abs(scrollY - before) < 2, before);

    // What was looked at is remembered, and left out where it is shown anyway.
    await page.getByRole('link', { name: 'ShopMicro, home' }).click();
    const recent = page.getByRole('region', { name: 'Recently viewed' }).getByRole('article').getByRole('link');
    await recent.getByText(name, { exact: true }).waitFor();
    const product = (await api('/api/products', { sort: 'name' })).items.find((product) => product.name !== name);
    await page.goto(`/products/${product.id}`);
    await recent.getByText(name, { exact: true }).waitFor();
    assert.deepEqual(await recent.allTextContents(), [name]);
    await customer.settled();
    await recent.click();
    await page.getByRole('heading', { level: 1, name }).waitFor();
    await recent.getByText(product.name, { exact: true }).waitFor();
    assert.deepEqual(await recent.allTextContents(), [product.name]);
    await customer.leave();
  });

  test(`a list is in the order that was chosen on a ${device}, over its pages`, { timeout: 300_000 }, async () => {
    const customer = await Customer.arrive(browser, options);
    const { page } = customer;
    await page.goto('/products');
    const articles = page.getByRole('main').getByRole('article');
    for (const [sort, name, rising] of [
      ['price', 'Price, low to high', (a, b) => a <= b],
      ['-price', 'Price, high to low', (a, b) => a >= b],
    ]) {
      await page.getByLabel('Sort').selectOption(name);
      const [first] = (await api('/api/products', { sort })).items;
      await articles.first().getByText(money(first.price_cents, first.currency)).waitFor();
      await page.getByText('Showing the first 24 products').waitFor();
      await page.getByRole('button', { name: 'Load more' }).click();
      await articles.nth(47).waitFor();
      const texts = await articles.getByText(/^£[\d,]+\.\d\d$/).allTextContents();
      const prices = texts.map((text) => Number(text.replace(/[£,]/g, '')));
      assert.equal(prices.length, 48);
      assert.ok(
        prices.every((price, n) => n === 0 || rising(prices[n - 1], price)),
        `${name}: ${prices}`,
      );
    }
    await customer.leave();
  });
}
