-- The rows ($1) whose SKU nobody has become products, each with its opening stock in the ledger and the act of its admin
-- ($2) in the log.
with row as (
    select *
    from jsonb_to_recordset($1) r (
        place integer, id uuid, sku text, name text, description text, category text, tags text[], price_cents bigint,
        image_url text, stock integer
    )
),
made as (
    insert into products (id, sku, name, description, category, tags, price_cents, image_url, currency, stock)
    select id, sku, name, description, category, tags, price_cents, image_url, $3, stock from row order by place
    on conflict (sku) do nothing
    returning id, sku, price_cents, stock
),
opening as (
    insert into stock_movements (product_id, delta, reason) select id, stock, 'opening' from made where stock <> 0
),
noted as (
    insert into audit_log (actor_id, action, subject, detail)
    select
        $2, 'product.created', id::text,
        jsonb_build_object('sku', sku, 'price_cents', price_cents, 'stock', stock)
    from made
)
select row.place from made join row using (id)
