// An account: what its owner changes, and how it ends.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { Customer, DESKTOP, DEVICES, launch } from './browser.js';

let browser;
before(async () => {
  browser = await launch();
});
after(() => browser?.close());

for (const [device, options] of DEVICES) {
  test(`an account is changed, logged out elsewhere, and deleted, on a ${device}`, { timeout: 300_000 }, async () => {
    const customer = await Customer.arrive(browser, options, ['403 /api/users/me', '401 /api/users/login']);
    const { page } = customer;
    await page.goto('/');
    await page.goto('/register?next=/account');
    const { email, password } = await customer.register();
    await page.getByRole('heading', { name: 'Hello, Grace Hopper' }).waitFor();

    const details = page.getByRole('region', { name: 'Your details' });
    await details.getByLabel('Name').fill('Amazing Grace');
    await details.getByRole('button', { name: 'Save' }).click();
    await page.getByRole('heading', { name: 'Hello, Amazing Grace' }).waitFor();

    // Another address needs the password.
    const moved = `moved-${email}`.toLowerCase();
    await details.getByLabel('E-mail').fill(moved);
    await details.getByLabel('Password').fill('not my password');
    await details.getByRole('button', { name: 'Save' }).click();
    await details.getByText('Is not your password').or(details.getByText('is not your password')).waitFor();
    await details.getByLabel('Password').fill(password);
    await details.getByRole('button', { name: 'Save' }).click();
    await details.getByText('Saved.').waitFor();
    await details.getByLabel('Password').waitFor({ state: 'detached' });

    // Another browser is logged in, and out again from here.
    const other = await Customer.arrive(browser, DESKTOP, [
      '401 /api/orders',
      '401 /api/users/me',
      '401 /api/users/me/sessions',
    ]);
    await other.logIn(moved, password);
    await other.page.getByRole('heading', { name: 'Hello, Amazing Grace' }).waitFor();
    await page.reload();
    await page.getByRole('button', { name: /^Log out the browser of/ }).click();
    await page.getByRole('button', { name: /^Log out the browser of/ }).waitFor({ state: 'detached' });
    await other.page.getByRole('link', { name: 'Your orders' }).first().click();
    await other.page.getByRole('heading', { name: 'Welcome back' }).waitFor();
    await other.leave();

    const words = page.getByRole('region', { name: 'Password' });
    await words.getByLabel('Current password').fill(password);
    await words.getByLabel('New password').fill('another few words in a row');
    await words.getByRole('button', { name: 'Change password' }).click();
    await words.getByText('Your password is changed').waitFor();

    await page.getByRole('button', { name: 'Delete account' }).click();
    const end = page.getByRole('region', { name: 'Delete your account' });
    await end.getByLabel('Password').fill('another few words in a row');
    await customer.look('account-end');
    await end.getByRole('button', { name: 'Delete for good' }).click();
    await page.getByRole('heading', { name: 'Good things, a few of each.' }).waitFor();
    // No way leads back to it.
    await page.goBack();
    await page.getByRole('link', { name: 'Log in', exact: true }).waitFor();
    assert.equal(await page.getByText('Amazing Grace').count(), 0);
    await customer.logIn(moved, 'another few words in a row');
    await page.getByText('do not belong together').waitFor();
    await customer.leave();
  });

  test(`an account is logged out everywhere at once on a ${device}`, { timeout: 300_000 }, async () => {
    const customer = await Customer.arrive(browser, options);
    const { page } = customer;
    await page.goto('/register?next=/account');
    const { email, password } = await customer.register();
    await page.getByRole('heading', { name: 'Hello, Grace Hopper' }).waitFor();
    const other = await Customer.arrive(browser, DESKTOP, ['401 /api/orders', '401 /api/users/me']);
    await other.logIn(email, password);
    await other.page.getByRole('heading', { name: 'Hello, Grace Hopper' }).waitFor();

    await page.reload();
    await page.getByText('Another browser').waitFor();
    await customer.look('account-sessions');
    await page.getByRole('button', { name: 'Log out everywhere' }).click();
    await page.getByRole('heading', { name: 'Welcome back' }).waitFor();
    await other.page.getByRole('link', { name: 'Your orders' }).first().click();
    await other.page.getByRole('heading', { name: 'Welcome back' }).waitFor();
    // The account is as it was.
    await customer.logIn(email, password);
    await page.getByText('This browser').waitFor();
    await page.getByText('Another browser').waitFor({ state: 'detached' });
    await other.leave();
    await customer.leave();
  });
}
