-- The rows ($1) that a product for sale has already, but for its stock, which sales change.
select row.place
from jsonb_to_recordset($1) row (
    place integer, sku text, name text, description text, category text, tags text[], price_cents bigint, image_url text
)
join products p using (sku)
where p.archived_at is null
    and (p.name, p.description, p.category, p.tags, p.price_cents, p.image_url)
        is not distinct from
        (row.name, row.description, row.category, row.tags, row.price_cents, row.image_url)
