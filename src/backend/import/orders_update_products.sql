-- Only products whose words an import wrote; those of the shop's own catalogue stay as the shop wants them. Where other
-- imported orders are more recent than this file, theirs are the more recent name and price as well. Orders that are there
-- already say nothing new, as those of this shop's own export.
with latest as (
    select i.product_id, max(o.created_at) as at
    from order_items i
    join orders o on o.id = i.order_id
    where o.import_ref is not null
    group by i.product_id
), offered as (
    select p.id, d.name, w.description, w.category, string_to_array(w.tags, '|') as tags, d.price_cents
    from import_products d
    join import_words w using (sku)
    join products p using (sku)
    left join latest l on l.product_id = p.id
    where w.ours
        and (l.at is null or l.at <= d.last_at)
        and exists (select from import_lines join import_orders using (invoice) where import_lines.sku = d.sku)
)
update products p
set name = o.name,
    description = o.description,
    category = o.category,
    tags = o.tags,
    price_cents = o.price_cents,
    version = p.version + 1,
    updated_at = now()
from offered o
where p.id = o.id
    and (p.name, p.description, p.category, p.tags, p.price_cents)
        is distinct from (o.name, o.description, o.category, o.tags, o.price_cents)
