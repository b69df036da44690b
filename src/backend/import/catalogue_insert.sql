insert into products (id, sku, name, description, category, tags, price_cents, currency, stock, image_url)
select gen_random_uuid(), sku, name, description, category, string_to_array(tags, '|'), price_cents, $1, stock, image_url
from import_catalogue
on conflict (sku) do nothing
