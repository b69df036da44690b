-- The ledger of stock follows what the import did: past orders took nothing from what is there now, but new products have
-- a stock.
insert into stock_movements (product_id, delta, reason)
select p.id, p.stock - l.stock, 'import'
from products p
join import_products d using (sku)
cross join lateral (select coalesce(sum(m.delta), 0) as stock from stock_movements m where m.product_id = p.id) l
where p.stock <> l.stock
