-- What orders gave back may have brought a stock above what an import takes.
select sku, name, description, category, array_to_string(tags, '|') as tags, price_cents,
    least(stock, 2000000000) as stock, image_url
from products
where archived_at is null
order by sku
