// What Lighthouse says, as of a phone on a slow network, of the pages at which visits begin. How fast they are depends on
// what else the machine does: `make lighthouse` judges that in earnest, where it has nothing else to do.

import assert from 'node:assert/strict';
import { createServer } from 'node:net';
import { after, before, test } from 'node:test';
import lighthouse from 'lighthouse';
import { aProduct, launch, SHOP } from './browser.js';

/** The least that is good enough, in percent. */
const WANTED = { performance: 95, accessibility: 100, 'best-practices': 100, seo: 95 };
const TIMED = process.env.LIGHTHOUSE === 'timed';
/** A page that is slower than this has something wrong with it, whatever the machine does. */
const FLOOR = 75;
/** The best of so many counts. */
const TRIES = 5;

let browser;
let port;
before(async () => {
  port = await freePort();
  browser = await launch(`--remote-debugging-port=${port}`);
});
after(() => browser?.close());

function freePort() {
  return new Promise((resolve) => {
    const server = createServer().listen(0, '127.0.0.1', () => {
      const { port } = server.address();
      server.close(() => resolve(port));
    });
  });
}

/** The scores of a page, and what spoils each. */
async function judge(path) {
  const { lhr } = await lighthouse(new URL(path, SHOP).href, {
    port,
    logLevel: 'error',
    onlyCategories: Object.keys(WANTED),
  });
  const scores = {};
  const faults = [];
  for (const [name, { score, auditRefs }] of Object.entries(lhr.categories)) {
    scores[name] = Math.round(score * 100);
    for (const { id, weight } of auditRefs) {
      const audit = lhr.audits[id];
      if (weight > 0 && audit.score !== null && audit.score < 0.9) {
        faults.push(`${name}: ${id} ${audit.displayValue ?? audit.title}`);
      }
    }
  }
  return { scores, faults };
}

for (const [name, path] of [
  ['home', async () => '/'],
  ['the catalogue', async () => '/products'],
  ['a product', async () => `/products/${(await aProduct()).id}`],
]) {
  test(`Lighthouse likes ${name}`, { timeout: 300_000 }, async (t) => {
    const url = await path();
    for (let tries = 1; ; tries += 1) {
      const { scores, faults } = await judge(url);
      t.diagnostic(JSON.stringify(scores));
      const { performance, ...others } = scores;
      for (const [category, score] of Object.entries(others)) {
        assert.ok(score >= WANTED[category], `${category} ${score}: ${faults.join('\n')}`);
      }
      if (performance >= (TIMED ? WANTED.performance : FLOOR)) return;
      assert.ok(tries < TRIES, `performance ${performance}: ${faults.join('\n')}`);
    }
  });
}
