-- The next products of the file after $1, each with what the shop has under its SKU.
select d.sku, d.name, p.name as shop_name, p.category as shop_category, p.tags as shop_tags,
    p.description as shop_description
from import_products d
left join products p using (sku)
where d.sku > $1
order by d.sku
limit $2
