-- The shop's first schema. Money is integer minor units (cents) with an ISO 4217 currency; time is timestamptz.

-- Trusted since PostgreSQL 13: the database's owner may create it without being a superuser.
create extension if not exists pg_trgm;

-- array_to_string is only stable, since elements of any type may print by locale; for text[] it is immutable.
create function join_words(words text[]) returns text
    language sql immutable strict parallel safe
    return array_to_string(words, ' ');

-- Popularity is the log2 of the exponentially decayed number of units sold, half-life 30 days, as "forward decay"
-- (Cormode et al., ICDE 2009): each unit weighs 2^(days since 2020-01-01 / 30), so that figures of different moments
-- compare without a job that ages them. In log space nothing overflows.
create function popularity_of(units bigint, at timestamptz) returns double precision
    language sql immutable strict parallel safe
    return log(2, units::numeric)::double precision
        + extract(epoch from at - timestamptz '2020-01-01 00:00:00+00')::double precision / (30 * 86400);

create function popularity_sum(a double precision, b double precision) returns double precision
    language sql immutable strict parallel safe
    return case
        when a = '-infinity' then b
        when b = '-infinity' then a
        else greatest(a, b) + ln(1 + power(2::double precision, -least(abs(a - b), 1000))) / ln(2::double precision)
    end;

create table products (
    id          uuid primary key,
    sku         text not null constraint products_sku_key unique check (sku <> '' and length(sku) <= 64),
    name        text not null check (name <> '' and length(name) <= 200),
    description text not null default '' check (length(description) <= 4000),
    category    text not null check (category <> '' and length(category) <= 60),
    tags        text[] not null default '{}' check (cardinality(tags) <= 20),
    price_cents bigint not null check (price_cents between 0 and 100000000),
    currency    char(3) not null check (currency ~ '^[A-Z]{3}$'),
    stock       integer not null constraint products_stock_check check (stock >= 0),
    image_url   text check (length(image_url) <= 500),
    popularity  double precision not null default '-infinity',
    archived_at timestamptz,
    created_at  timestamptz not null default now(),
    updated_at  timestamptz not null default now(),
    search      tsvector not null generated always as (
        setweight(to_tsvector('english', name), 'A')
        || setweight(to_tsvector('english', category || ' ' || join_words(tags)), 'B')
        || setweight(to_tsvector('english', description), 'C')
    ) stored
);
create index products_search_idx on products using gin (search);
create index products_name_trgm_idx on products using gin (name gin_trgm_ops);
create index products_newest_idx on products (created_at desc, id desc) where archived_at is null;
create index products_price_idx on products (price_cents, id) where archived_at is null;
create index products_name_idx on products (name, id) where archived_at is null;
create index products_popularity_idx on products (popularity desc, id desc) where archived_at is null;
create index products_category_idx on products (category, created_at desc, id desc) where archived_at is null;

-- A user without a password cannot log in: customers of imported orders are such users.
create table users (
    id            uuid primary key,
    email         text not null constraint users_email_key unique check (email = lower(email) and length(email) <= 254),
    name          text not null check (length(name) <= 100),
    password_hash text,
    role          text not null default 'customer' check (role in ('customer', 'admin')),
    created_at    timestamptz not null default now(),
    updated_at    timestamptz not null default now()
);

-- The durable copy of every session: Redis serves sessions, this table survives it.
create table sessions (
    token_hash bytea primary key check (length(token_hash) = 32),
    user_id    uuid not null references users on delete cascade,
    created_at timestamptz not null default now(),
    expires_at timestamptz not null
);
create index sessions_user_idx on sessions (user_id);
create index sessions_expiry_idx on sessions (expires_at);

-- A cart belongs to a user or, by the hash of its cookie's token, to a guest.
create table carts (
    id         uuid primary key,
    user_id    uuid unique references users on delete cascade,
    token_hash bytea unique check (length(token_hash) = 32),
    updated_at timestamptz not null default now(),
    check ((user_id is null) <> (token_hash is null))
);

create table cart_items (
    cart_id    uuid not null references carts on delete cascade,
    product_id uuid not null references products on delete cascade,
    quantity   integer not null check (quantity between 1 and 99),
    added_at   timestamptz not null default now(),
    primary key (cart_id, product_id)
);

create table orders (
    id               uuid primary key,
    -- Null where the customer is unknown (imported) or erased.
    user_id          uuid references users on delete set null,
    status           text not null check (status in ('pending_payment', 'paid', 'shipped', 'delivered', 'cancelled', 'payment_failed')),
    total_cents      bigint not null check (total_cents >= 0),
    currency         char(3) not null,
    shipping_address jsonb,
    card_last4       text check (length(card_last4) = 4),
    -- The number of the order in the system it was imported from.
    import_ref       text constraint orders_import_ref_key unique,
    created_at       timestamptz not null default now(),
    updated_at       timestamptz not null default now()
);
create index orders_user_idx on orders (user_id, created_at desc, id desc);

create table order_items (
    order_id         uuid not null references orders on delete cascade,
    product_id       uuid not null references products,
    name             text not null,
    unit_price_cents bigint not null check (unit_price_cents >= 0),
    quantity         integer not null check (quantity > 0),
    primary key (order_id, product_id)
);
create index order_items_product_idx on order_items (product_id);

-- One row per Idempotency-Key and user; the answer is kept so that a repeated request gets the same one.
create table idempotency_keys (
    user_id         uuid not null references users on delete cascade,
    key             text not null check (length(key) between 1 and 255),
    request_hash    bytea not null,
    order_id        uuid not null references orders on delete cascade,
    response_status smallint,
    response        jsonb,
    created_at      timestamptz not null default now(),
    primary key (user_id, key)
);

-- Order events, written in the order's own transaction, for a relay to publish.
create table outbox (
    id           bigint generated always as identity primary key,
    order_id     uuid not null,
    kind         text not null,
    payload      jsonb not null,
    created_at   timestamptz not null default now(),
    published_at timestamptz
);
create index outbox_unpublished_idx on outbox (id) where published_at is null;

-- What customers did, for the recommender, which reads it in the order (xid, id). A reader that takes only rows whose
-- transaction is older than every running one (pg_snapshot_xmin) misses none, although ids are given before commit.
create table interactions (
    id         bigint generated always as identity,
    xid        xid8 not null default pg_current_xact_id(),
    user_id    uuid not null references users on delete cascade,
    product_id uuid not null references products on delete cascade,
    kind       text not null check (kind in ('purchase', 'cart', 'view')),
    quantity   integer not null check (quantity > 0),
    at         timestamptz not null default now(),
    primary key (xid, id)
);
create index interactions_user_idx on interactions (user_id);
