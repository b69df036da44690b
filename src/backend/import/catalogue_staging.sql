create temporary table import_catalogue (
    sku         text not null,
    name        text not null,
    description text not null,
    category    text not null,
    tags        text not null,
    price_cents bigint not null,
    stock       integer not null,
    image_url   text
) on commit drop;
