insert into products (id, sku, name, description, category, tags, price_cents, currency, stock, created_at)
select gen_random_uuid(), d.sku, d.name, w.description, w.category, string_to_array(w.tags, '|'), d.price_cents, $1,
    d.stock, d.first_at
from import_products d
join import_words w using (sku)
order by d.first_at
on conflict (sku) do nothing
