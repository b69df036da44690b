// A shop as one would write it with Express: the benchmarked part of ShopMicro's API over the same PostgreSQL and Redis,
// tuned as the documentation of its parts advises: NODE_ENV=production, a worker for each core, prepared statements, one
// function in the database for each write, answers kept as bytes in Redis, an asynchronous log.
import cluster from "node:cluster";
import { createHash, randomUUID } from "node:crypto";
import { readFileSync } from "node:fs";

import express from "express";
import { rateLimit } from "express-rate-limit";
import helmet from "helmet";
import { Redis } from "ioredis";
import pg from "pg";
import { pino } from "pino";
import prometheus from "prom-client";

const { PORT, WORKERS = "2", POSTGRES_URL, POSTGRES_POOL_SIZE = "8", REDIS_URL } = process.env;

if (cluster.isPrimary) {
  const client = new pg.Client(POSTGRES_URL);
  await client.connect();
  await client.query(readFileSync(new URL("functions.sql", import.meta.url), "utf8"));
  await client.end();
  for (let worker = 0; worker < Number(WORKERS); worker++) cluster.fork();
  cluster.on("exit", () => process.exit(1));
} else {
  serve();
}

function serve() {
  // Sums and prices are below 2^53.
  pg.types.setTypeParser(pg.types.builtins.INT8, Number);
  const pool = new pg.Pool({ connectionString: POSTGRES_URL, max: Number(POSTGRES_POOL_SIZE) });
  const redis = new Redis(REDIS_URL, { keyPrefix: "peer:", enableAutoPipelining: true });
  const log = pino({ base: { service: "express" } }, pino.destination({ sync: false, minLength: 4096 }));
  const duration = new prometheus.Histogram({
    name: "http_server_request_duration_seconds",
    help: "Duration of HTTP requests",
    labelNames: ["method", "route", "status"],
    buckets: [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10],
  });

  const app = express();
  app.disable("x-powered-by");
  app.set("etag", false);
  app.set("query parser", "simple");
  app.use((request, response, next) => {
    const start = process.hrtime.bigint();
    const id = request.headers["x-request-id"] ?? randomUUID();
    response.setHeader("x-request-id", id);
    response.on("finish", () => {
      const seconds = Number(process.hrtime.bigint() - start) / 1e9;
      const route = request.route?.path ?? "unmatched";
      duration.labels(request.method, route, response.statusCode).observe(seconds);
      log.info(
        {
          method: request.method,
          route,
          status: response.statusCode,
          duration_ms: seconds * 1e3,
          request_id: id,
          trace_id: request.headers.traceparent?.split("-")[1],
        },
        "answered",
      );
    });
    next();
  });
  app.use(helmet());
  app.use(
    "/api",
    rateLimit({ windowMs: 60_000, limit: 1_000_000_000, standardHeaders: "draft-8", legacyHeaders: false }),
  );
  const body = express.json({ limit: "64kb" });

  const problem = (response, status, title) =>
    response.status(status).type("application/problem+json").send(JSON.stringify({ title, status }));
  const json = (response, text, status = 200) => {
    response.statusCode = status;
    response.setHeader("content-type", "application/json");
    response.setHeader("content-length", Buffer.byteLength(text));
    response.setHeader("cache-control", "no-store");
    response.end(text);
  };

  const product = (row) => ({
    id: row.id,
    sku: row.sku,
    name: row.name,
    description: row.description,
    category: row.category,
    tags: row.tags,
    price_cents: row.price_cents,
    currency: row.currency,
    stock: row.stock,
    image_url: row.image_url ?? `/api/products/${row.id}/picture.svg`,
    version: row.version,
    created_at: row.created_at,
    updated_at: row.updated_at,
  });
  const COLUMNS =
    "p.id, p.sku, p.name, p.description, p.category, p.tags, p.price_cents, p.currency, p.stock, p.image_url, " +
    "p.version, p.created_at, p.updated_at";

  // The user of the session: from Redis, else from the database, and then in Redis for five minutes.
  const session = async (request, response, next) => {
    const token = /(?:^|; )(?:__Host-)?shopmicro_session=([^;]+)/.exec(request.headers.cookie ?? "")?.[1];
    if (!token) return problem(response, 401, "Not logged in");
    const hash = createHash("sha256").update(token).digest();
    const key = `session:${hash.toString("base64url")}`;
    let user = await redis.get(key);
    if (!user) {
      const found = await pool.query({
        name: "session",
        text:
          "select u.id, u.email, u.name, u.role, u.created_at from sessions s join users u on u.id = s.user_id " +
          "where s.token_hash = $1 and s.expires_at > now()",
        values: [hash],
      });
      if (found.rowCount === 0) return problem(response, 401, "Not logged in");
      user = JSON.stringify(found.rows[0]);
      await redis.set(key, user, "EX", 300);
    }
    request.user = user;
    next();
  };
  const userId = (request) => JSON.parse(request.user).id;

  app.get("/health/live", (request, response) => json(response, '{"status":"ok"}'));
  app.get("/metrics", async (request, response) => response.type("text").send(await prometheus.register.metrics()));

  app.get("/api/products/:id", async (request, response) => {
    const { id } = request.params;
    // The tag stands before the body.
    let kept = await redis.getBuffer(`product:${id}`);
    if (!kept) {
      if (!/^[0-9a-f-]{36}$/.test(id)) return problem(response, 400, "No id");
      const found = await pool.query({
        name: "product",
        text: `select ${COLUMNS} from products p where p.id = $1 and p.archived_at is null`,
        values: [id],
      });
      if (found.rowCount === 0) return problem(response, 404, "No such product");
      const text = JSON.stringify(product(found.rows[0]));
      const tag = `"${createHash("sha256").update(text).digest("base64url").slice(0, 16)}"`;
      kept = Buffer.from(tag + text);
      await redis.set(`product:${id}`, kept, "EX", 60);
    }
    const end = kept.indexOf(34, 1) + 1;
    const tag = kept.latin1Slice(0, end);
    response.setHeader("etag", tag);
    response.setHeader("cache-control", "no-cache");
    if (request.headers["if-none-match"] === tag) return response.status(304).end();
    response.setHeader("content-type", "application/json");
    response.setHeader("content-length", kept.length - end);
    response.end(kept.subarray(end));
  });

  const SORTS = {
    newest: ["p.created_at desc, p.id desc", "created_at"],
    price: ["p.price_cents, p.id", "price_cents"],
    "-price": ["p.price_cents desc, p.id desc", "price_cents"],
    name: ["p.name, p.id", "name"],
  };
  const KNOWN = new Set(["q", "category", "min_price_cents", "max_price_cents", "in_stock", "sort", "limit"]);
  const page = (rows, limit, key) => {
    const more = rows.length > limit;
    if (more) rows.length = limit;
    const last = rows.at(-1);
    const cursor = more ? Buffer.from(JSON.stringify([last[key], last.id])).toString("base64url") : null;
    return JSON.stringify({ items: rows.map(product), next_cursor: cursor });
  };
  const search = async (words, limit) => {
    const found = (text) =>
      pool.query({
        name: "search",
        text:
          `select ${COLUMNS} from (select p.*, ts_rank(p.search, websearch_to_tsquery('english', $1)) as score ` +
          "from products p where p.archived_at is null and p.search @@ websearch_to_tsquery('english', $1) " +
          "order by p.popularity desc, p.id desc limit 1000) p order by p.score desc, p.id desc limit $2",
        values: [text, limit + 1],
      });
    const { rows } = await found(words);
    if (rows.length > 0) return rows;
    const near = await pool.query({
      name: "near",
      text:
        "select (select w.word from search_words w where w.word % q.word order by similarity(w.word, q.word) desc " +
        "limit 1) as word from unnest($1::text[]) q (word)",
      values: [words.toLowerCase().split(/\s+/)],
    });
    const corrected = near.rows.map((row) => row.word).filter(Boolean);
    return corrected.length > 0 ? (await found(corrected.join(" "))).rows : [];
  };

  app.get("/api/products", async (request, response) => {
    const query = request.query;
    for (const name in query) if (!KNOWN.has(name)) return problem(response, 400, `unknown parameter ${name}`);
    const limit = Number(query.limit ?? 20);
    if (!(limit >= 1 && limit <= 100)) return problem(response, 400, "limit");
    if (query.q) {
      const key = `search:${limit}:${query.q}`;
      const kept = await redis.getBuffer(key);
      if (kept) return json(response, kept);
      const rows = await search(query.q, limit);
      const answer = page(rows, limit, "id");
      if (rows.length > 0) await redis.set(key, answer, "EX", 5);
      return json(response, answer);
    }
    const sort = SORTS[query.sort ?? "newest"];
    if (!sort) return problem(response, 400, "sort");
    const plain = !query.min_price_cents && !query.max_price_cents && !query.in_stock;
    const key = `page:${query.category ?? ""}:${query.sort ?? "newest"}:${limit}`;
    if (plain) {
      const kept = await redis.getBuffer(key);
      if (kept) return json(response, kept);
    }
    const values = [];
    const conditions = ["p.archived_at is null"];
    const where = (text, value) => conditions.push(text.replace("$", `$${values.push(value)}`));
    if (query.category) where("p.category = $", query.category);
    if (query.min_price_cents) where("p.price_cents >= $", Number(query.min_price_cents));
    if (query.max_price_cents) where("p.price_cents <= $", Number(query.max_price_cents));
    if (query.in_stock === "true") conditions.push("p.stock > 0");
    const text =
      `select ${COLUMNS} from products p where ${conditions.join(" and ")} ` +
      `order by ${sort[0]} limit $${values.push(limit + 1)}`;
    const { rows } = await pool.query({ name: createHash("md5").update(text).digest("hex"), text, values });
    const answer = page(rows, limit, sort[1]);
    if (plain && rows.length > 0) await redis.set(key, answer, "EX", 5);
    json(response, answer);
  });

  app.get("/api/users/me", session, (request, response) => json(response, request.user));

  app.put("/api/cart/items/:id", session, body, async (request, response) => {
    const { quantity } = request.body;
    if (!Number.isInteger(quantity) || quantity < 1 || quantity > 99) return problem(response, 422, "quantity");
    const { rows } = await pool.query({
      name: "put",
      text: "select result, cart from peer.put_cart_item($1, $2, $3, $4)",
      values: [userId(request), randomUUID(), request.params.id, quantity],
    });
    if (rows[0].result === "unknown") return problem(response, 404, "No such product");
    if (rows[0].result === "full") return problem(response, 422, "The cart is full");
    json(response, rows[0].cart);
  });

  const OUTCOMES = { "4242424242424242": "captured", "4000000000000002": "declined" };
  app.post("/api/orders", session, body, async (request, response) => {
    const key = request.headers["idempotency-key"];
    if (!key) return problem(response, 400, "Idempotency-Key");
    const { shipping_address: address, payment } = request.body;
    for (const field of ["name", "line1", "city", "postal_code", "country"]) {
      if (typeof address?.[field] !== "string" || !address[field]) return problem(response, 422, field);
    }
    const outcome = OUTCOMES[payment?.card_number];
    if (!outcome) return problem(response, 422, "card_number");
    const last4 = payment.card_number.slice(-4);
    const { rows } = await pool.query({
      name: "checkout",
      text: "select result, answer, placed, shortages from peer.checkout($1, $2, $3, $4, $5, $6, $7)",
      values: [
        userId(request),
        key,
        createHash("sha256").update(JSON.stringify([address, last4])).digest(),
        randomUUID(),
        JSON.stringify(address),
        last4,
        outcome,
      ],
    });
    const { result, answer, placed } = rows[0];
    if (result === "empty" || result === "short") return problem(response, 409, result);
    if (result === "mismatch") return problem(response, 422, result);
    if (answer === "payment_failed") return problem(response, 402, "The card was declined");
    // What was bought is loaded again by whoever looks at it next.
    const stale = JSON.parse(placed).items.map((item) => `product:${item.product_id}`);
    await redis.del(stale);
    json(response, placed, 201);
  });

  app.use((request, response) => problem(response, 404, "no such address"));
  app.use((error, request, response, next) => {
    log.error({ err: error }, "failed");
    if (response.headersSent) return next(error);
    problem(response, error.status ?? 500, "Something went wrong");
  });
  app.listen(Number(PORT), "127.0.0.1");
}
