-- The ledger of stock follows what the import did.
insert into stock_movements (product_id, delta, reason)
select p.id, p.stock - l.stock, 'import'
from products p
join import_catalogue c using (sku)
cross join lateral (select coalesce(sum(m.delta), 0) as stock from stock_movements m where m.product_id = p.id) l
where p.stock <> l.stock
