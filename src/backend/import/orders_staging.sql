-- Good lines of the file. `row` is the line's number: of two lines of one moment, the later is the more recent.
create temporary table import_lines (
    row         bigint not null,
    invoice     text not null,
    sku         text not null,
    name        text not null,
    quantity    integer not null,
    price_cents bigint not null,
    customer    text,
    user_id     uuid,
    at          timestamptz not null
) on commit drop;

-- What the rules in Rust say of each product's name; `ours` where the words of the product that is there, if any, were
-- written by an import and not by the shop.
create temporary table import_words (
    sku         text primary key,
    category    text not null,
    tags        text not null,
    description text not null,
    ours        boolean not null
) on commit drop;
