"""A recommender as one would write it with Flask and scikit-learn: the benchmarked part of ml-service's API over the same
PostgreSQL and Redis, tuned as the documentation of its parts advises: the model made once, before the workers are
forked, in single precision; one product of a sparse matrix and a vector for each question; answers kept as bytes in
Redis; JSON by orjson, Redis' protocol by hiredis; a buffered log.
"""

import gc
import hashlib
import os
import time
import uuid
from collections import Counter, defaultdict

import numpy as np
import orjson
import psycopg
import redis
from flask import Flask, Response, g, request
from sklearn.feature_extraction.text import TfidfVectorizer

MOST = 50
USER_SECONDS = 600
SIMILAR_SECONDS = 6 * 3600


class Model:
    """Vectors of the products, by row, and what was bought. Nothing in it changes."""

    def __init__(self, products, purchases):
        digest = hashlib.sha256(repr(products).encode())
        digest.update(repr(purchases).encode())
        self.version = digest.hexdigest()[:12]
        self.ids = [str(product[0]) for product in products]
        self.names = [product[1] for product in products]
        self.rows = {id: row for row, id in enumerate(self.ids)}
        # As ml-service's documents: the name counts twice, and no pair of words reaches from one field into the next.
        words = TfidfVectorizer(stop_words="english", ngram_range=(1, 2)).build_analyzer()

        def analyse(product):
            _, name, description, category, tags = product
            return [*words(name) * 2, *(word for field in (description, category, *tags) for word in words(field))]

        vectorizer = TfidfVectorizer(analyzer=analyse, sublinear_tf=True, dtype=np.float32)
        self.vectors = vectorizer.fit_transform(products)
        self.bought = defaultdict(list)
        sales = Counter()
        for user, product in purchases:
            row = self.rows.get(str(product))
            if row is not None:
                self.bought[str(user)].append(row)
                sales[row] += 1
        most = max(sales.values(), default=1)
        self.popular = [self.item(row, count / most, "Popular now") for row, count in sales.most_common(MOST)]

    def item(self, row, score, reason):
        return {"product_id": self.ids[row], "score": score, "reason": reason}

    def nearest(self, vector, excluded, limit):
        """The rows of the largest cosines, the largest first, with these."""
        scores = self.vectors @ vector
        scores[excluded] = 0
        count = min(limit, len(scores))
        best = np.argpartition(scores, -count)[-count:]
        best = best[np.lexsort((best, -scores[best]))]
        best = best[scores[best] > 0]
        return best, scores[best].tolist()

    def similar(self, product, limit):
        row = self.rows[product]
        best, scores = self.nearest(self.vectors[row].toarray().ravel(), row, limit)
        reason = f"Similar to {self.names[row]}"
        return [self.item(row, score, reason) for row, score in zip(best.tolist(), scores)]

    def personal(self, user, limit):
        rows = self.bought[user]
        bought = self.vectors[rows]
        profile = np.asarray(bought.mean(axis=0), dtype=np.float32).ravel()
        profile /= np.linalg.norm(profile) or 1
        best, scores = self.nearest(profile, rows, limit)
        # What was bought and is most like it.
        sources = (self.vectors[best] @ bought.T).toarray().argmax(axis=1)
        return [
            self.item(row, score, f"Because you bought {self.names[rows[source]]}")
            for row, score, source in zip(best.tolist(), scores, sources.tolist())
        ]


def read():
    with psycopg.connect(os.environ["POSTGRES_URL"]) as database:
        products = database.execute(
            "select id, name, description, category, tags from products where archived_at is null order by id"
        ).fetchall()
        purchases = database.execute(
            "select user_id, product_id from interactions where kind = 'purchase' "
            "group by user_id, product_id order by user_id, product_id"
        ).fetchall()
    return Model(products, purchases)


model = read()
# Connections are made by the workers, when they first need one.
cache = redis.Redis.from_url(os.environ["REDIS_URL"])
log = open(1, "wb", buffering=4096, closefd=False)
app = Flask(__name__)
# What is here now stays: a collection shall not copy its pages into each worker.
gc.collect()
gc.freeze()


def json(body, status=200):
    return Response(body, status, content_type="application/json")


def problem(status, title):
    body = orjson.dumps({"title": title, "status": status})
    return Response(body, status, content_type="application/problem+json")


def limit():
    """How many are asked for; nothing where that is no number or too many."""
    text = request.args.get("limit", "12")
    return int(text) if text.isascii() and text.isdigit() and 1 <= int(text) <= MOST else None


@app.before_request
def begin():
    g.start = time.perf_counter()


@app.after_request
def end(response):
    id = request.headers.get("X-Request-Id") or str(uuid.uuid4())
    response.headers["X-Request-Id"] = id
    trace = request.headers.get("Traceparent", "").split("-")
    line = {
        "service": "flask",
        "message": "answered",
        "method": request.method,
        "route": request.url_rule.rule if request.url_rule else "unmatched",
        "status": response.status_code,
        "duration_ms": (time.perf_counter() - g.start) * 1e3,
        "request_id": id,
        "trace_id": trace[1] if len(trace) > 1 else None,
    }
    log.write(orjson.dumps(line, option=orjson.OPT_APPEND_NEWLINE))
    return response


@app.get("/health/live")
def live():
    return json(b'{"status":"ok"}')


def kept(key, seconds, compute):
    """The answer of this key: that in Redis, else what is computed and kept there."""
    key = f"flask:{model.version}:{key}"
    body = cache.get(key)
    if body is None:
        body = orjson.dumps({**compute(), "model_version": model.version})
        cache.set(key, body, ex=seconds)
    return json(body)


@app.get("/api/recommendations/<uuid:user_id>")
def recommendations(user_id):
    count = limit()
    if count is None:
        return problem(400, "limit")
    user = str(user_id)

    def compute():
        items = model.personal(user, count) if user in model.bought else []
        strategy = "personal" if items else "popular"
        return {"user_id": user, "items": items or model.popular[:count], "strategy": strategy}

    return kept(f"user:{user}:{count}", USER_SECONDS, compute)


@app.get("/api/products/<uuid:product_id>/similar")
def similar(product_id):
    count = limit()
    if count is None:
        return problem(400, "limit")
    product = str(product_id)
    if product not in model.rows:
        return problem(404, "No such product")

    def compute():
        return {"product_id": product, "items": model.similar(product, count), "strategy": "similar"}

    return kept(f"similar:{product}:{count}", SIMILAR_SECONDS, compute)
