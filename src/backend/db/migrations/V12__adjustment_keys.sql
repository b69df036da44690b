-- An adjustment that is sent again under its Idempotency-Key counts once. Not in the ledger itself, to which every sale writes:
-- sales would wait until an index of it is built.
create table adjustment_keys (
    user_id    uuid not null references users on delete cascade,
    key        text not null check (length(key) between 1 and 255),
    product_id uuid not null,
    delta      integer not null,
    note       text not null,
    -- The same as that of the movement.
    at         timestamptz not null default now(),
    primary key (user_id, key)
);
create index adjustment_keys_age_idx on adjustment_keys (at);
