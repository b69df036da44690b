-- What the operators' side of the shop stands on: versions of products, a ledger of stock, a log of who did what.

-- Counts the edits of what people read of a product, so that two editors do not overwrite each other unseen. Sales
-- change the stock and not the version.
alter table products add column version integer not null default 1;

-- Every change of a product's stock: the sum of its movements is its stock. Written in the statement or transaction
-- that changes `products.stock`.
create table stock_movements (
    id         bigint generated always as identity primary key,
    product_id uuid not null references products on delete cascade,
    delta      integer not null check (delta <> 0),
    reason     text not null check (reason in ('opening', 'import', 'adjustment', 'order', 'return')),
    -- The order that took or returned the units.
    order_id   uuid,
    note       text not null default '' check (length(note) <= 200),
    at         timestamptz not null default now(),
    check ((order_id is not null) = (reason in ('order', 'return')))
);
create index stock_movements_product_idx on stock_movements (product_id, id desc);

insert into stock_movements (product_id, delta, reason)
select id, stock, 'opening' from products where stock <> 0;

-- Events of accounts and acts of admins. It refers to no table, since it outlives what it tells of; it holds no names,
-- addresses or secrets.
create table audit_log (
    id       bigint generated always as identity primary key,
    at       timestamptz not null default now(),
    -- The account that acted; null for what nobody who is logged in did, such as a lock-out.
    actor_id uuid,
    action   text not null check (action <> '' and length(action) <= 60),
    subject  text not null check (length(subject) <= 100),
    detail   jsonb not null default '{}'
);
