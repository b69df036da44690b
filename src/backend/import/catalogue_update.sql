-- The catalogue is the shop's own word: what it says replaces what was there. Without a column of pictures ($1), products
-- keep theirs.
update products p
set name = c.name,
    description = c.description,
    category = c.category,
    tags = string_to_array(c.tags, '|'),
    price_cents = c.price_cents,
    currency = $2,
    stock = c.stock,
    image_url = case when $1 then c.image_url else p.image_url end,
    version = p.version + 1,
    updated_at = now()
from import_catalogue c
where p.sku = c.sku
    and (p.name, p.description, p.category, p.tags, p.price_cents, p.currency, p.stock, p.image_url)
        is distinct from
        (c.name, c.description, c.category, string_to_array(c.tags, '|'), c.price_cents, $2::char(3), c.stock,
         case when $1 then c.image_url else p.image_url end)
