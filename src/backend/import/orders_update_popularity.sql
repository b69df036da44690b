-- From all that was ever sold of the products in new orders, so that the order of imports does not matter. What is not paid
-- yet, or waits to be counted, is added by who counts it. In log space, as popularity_sum does it for two: the sum over 2^x is
-- 2^max times the sum over 2^(x - max), with the exponent held above what underflows. popularity_of(1, at) is the weight of
-- one unit.
with touched as (
    select distinct i.product_id from import_orders n join order_items i on i.order_id = n.id
), sold as (
    select i.product_id, i.quantity, popularity_of(1, o.created_at) as weight
    from touched
    join order_items i using (product_id)
    join orders o on o.id = i.order_id
    where o.status not in ('pending_payment', 'cancelled', 'payment_failed')
        and not exists (select from uncounted_sales u where u.order_id = o.id)
), heaviest as (
    select product_id, max(weight) as weight from sold group by product_id
), summed as (
    select s.product_id,
        max(h.weight) + ln(sum(s.quantity * power(2::double precision, greatest(s.weight - h.weight, -1000))))
            / ln(2::double precision) as popularity
    from sold s
    join heaviest h using (product_id)
    group by s.product_id
)
update products p
set popularity_exact = s.popularity, popularity = popularity_step(s.popularity)
from summed s
where p.id = s.product_id
    and p.popularity_exact is distinct from s.popularity
