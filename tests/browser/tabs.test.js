// Two tabs of one browser: what one does to the session, the other follows.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { Customer, DEVICES, launch } from './browser.js';

let browser;
before(async () => {
  browser = await launch();
});
after(() => browser?.close());

for (const [device, options] of DEVICES) {
  test(`who leaves in one tab has left in all, on a ${device}`, { timeout: 300_000 }, async () => {
    const customer = await Customer.arrive(browser, options);
    const { context, page } = customer;
    await page.goto('/register?next=/account');
    const { email, password } = await customer.register();
    await page.getByRole('heading', { name: 'Hello, Grace Hopper' }).waitFor();

    const other = new Customer(context, await context.newPage(), []);
    await other.page.goto('/orders');
    await other.page.getByRole('heading', { level: 1, name: 'Your orders' }).waitFor();
    await other.page.evaluate(() => sessionStorage.setItem('shopmicro.checkout.draft', '{"city":"York"}'));
    await other.settled();

    await page.getByRole('button', { name: 'Log out', exact: true }).click();
    await page.getByRole('heading', { name: 'Welcome back' }).waitFor();
    await other.page.getByRole('heading', { name: 'Welcome back' }).waitFor();
    assert.equal(await other.page.evaluate(() => sessionStorage.getItem('shopmicro.checkout.draft')), null);

    // Who comes back in one tab is back in all.
    await page.goto('/');
    await page.getByRole('link', { name: 'Log in', exact: true }).waitFor();
    await other.page.getByLabel('E-mail').fill(email);
    await other.page.getByLabel('Password').fill(password);
    await other.page.getByRole('button', { name: 'Log in' }).click();
    await page.getByRole('link', { name: 'Account', exact: true }).waitFor();
    assert.deepEqual(other.troubles, []);
    await customer.leave();
  });
}
