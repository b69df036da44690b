insert into interactions (user_id, product_id, kind, quantity, at)
select o.user_id, i.product_id, 'purchase', i.quantity, o.created_at
from import_orders n
join orders o on o.id = n.id
join order_items i on i.order_id = o.id
where o.user_id is not null
order by o.created_at, o.id
