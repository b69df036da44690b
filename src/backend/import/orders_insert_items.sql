insert into order_items (order_id, product_id, name, unit_price_cents, quantity)
select o.id, p.id, p.name, i.unit_price_cents, i.quantity
from import_items i
join import_orders n using (invoice)
join orders o on o.id = n.id
join products p using (sku)
order by o.created_at, o.id
