select to_char(o.created_at at time zone 'UTC', 'YYYY-MM-DD HH24:MI:SS') as invoiced_at,
    coalesce(o.import_ref, 'order-' || o.id) as invoice, p.sku as stock_code, i.name as description, i.quantity,
    (i.unit_price_cents / 100.0)::numeric(12, 2) as unit_price, o.user_id as customer_id,
    o.shipping_address ->> 'country' as country
from orders o
join order_items i on i.order_id = o.id
join products p on p.id = i.product_id
where o.status in ('paid', 'shipped', 'delivered')
order by o.created_at, o.id, p.sku
