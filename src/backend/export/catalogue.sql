select sku, name, description, category, array_to_string(tags, '|') as tags, price_cents, stock, image_url
from products
where archived_at is null
order by sku
