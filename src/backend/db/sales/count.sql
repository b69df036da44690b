-- What was sold is more popular, and the recommender learns who bought it.
with taken as (
    -- As an array, which is made once: whatever plan is chosen, these are all.
    delete from uncounted_sales
    where order_id = any (array(select order_id from uncounted_sales order by at limit $1 for update skip locked))
    returning order_id, at
), lines as (
    select o.user_id, i.product_id, i.quantity, t.at
    from taken t
    join orders o on o.id = t.order_id
    join order_items i on i.order_id = o.id
), noted as (
    -- The lock is that of the foreign key. Taken here, it waits for an account that is being deleted, which would else make
    -- the whole statement fail; and before those of products, for which others wait.
    insert into interactions (user_id, product_id, kind, quantity, at)
    select l.user_id, l.product_id, 'purchase', l.quantity, l.at
    from lines l
    join users u on u.id = l.user_id
    order by l.at
    for key share of u
    returning 1
), sold as (
    -- As if all of a product's were of the last one's moment: they are of the same second, or of an outage.
    select product_id, sum(quantity) as units, max(at) as at
    from lines
    where (select count(*) from noted) >= 0
    group by product_id
), locked as (
    -- In the order in which a checkout locks them.
    select p.id, p.popularity, p.popularity_exact, s.units, s.at
    from products p
    join sold s on s.product_id = p.id
    order by p.id
    for no key update of p
), counted as (
    update products p
    set popularity_exact = n.popularity, popularity = popularity_step(n.popularity)
    from locked l, lateral (
        select popularity_sum(greatest(l.popularity, l.popularity_exact), popularity_of(l.units, l.at)) as popularity
    ) n
    where p.id = l.id
)
select count(*) as sales from taken
