-- Sales and carts leave indexes alone. A change of one indexed column makes new entries in all indexes of a table, and those
-- of the full-text index of products wait in a list that every search reads from its beginning to its end.

-- What is indexed of popularity changes in steps of 9 % more sales, which is seldom for what sells often.
create function popularity_step(popularity double precision) returns double precision
    language sql immutable strict parallel safe
    return floor(popularity * 8) / 8;

-- What `popularity` is the step below of; null where it was not sold since there are steps.
alter table products add column popularity_exact double precision;
-- Room for the new version of a row beside the old one, without which it needs new entries all the same.
alter table products set (fillfactor = 85);
-- In KiB: new words of the catalogue, in the order of their coming. A search reads them all.
alter index products_search_idx set (gin_pending_list_limit = 256);
alter index products_tags_idx set (gin_pending_list_limit = 256);

-- The same rule without a function of our own, which would be planned anew for each sale: PostgreSQL looks at all rules of
-- a row whatever of it changes.
alter table products drop constraint products_tags_commas_check;
alter table products add constraint products_tags_commas_check check (strpos(array_to_string(tags, ' '), ',') = 0);

-- As in V6, but for the time of the cart.
create or replace function put_cart_item(
    buyer uuid, guest bytea, new_cart uuid, this_product uuid, this_quantity integer, max_items bigint,
    out result text
)
    language plpgsql
as $$
declare
    this_cart uuid;
    price bigint;
    others bigint;
    there boolean;
begin
    select p.price_cents into price from products p where p.id = this_product and p.archived_at is null;
    if not found then
        result := 'unknown';
        return;
    end if;
    -- The update changes nothing but the hour: it makes the row's lock ours, so that carts cannot grow side by side.
    if buyer is not null then
        insert into carts as c (id, user_id) values (new_cart, buyer)
        on conflict (user_id) do update set updated_at = greatest(c.updated_at, date_trunc('hour', now()))
        returning c.id into this_cart;
    else
        insert into carts as c (id, token_hash) values (new_cart, guest)
        on conflict (token_hash) do update set updated_at = greatest(c.updated_at, date_trunc('hour', now()))
        returning c.id into this_cart;
    end if;
    select count(*) filter (where i.product_id <> this_product), count(*) > 0 into others, there
    from cart_items i where i.cart_id = this_cart;
    if others >= max_items then
        result := 'full';
        return;
    end if;
    insert into cart_items (cart_id, product_id, quantity, price_cents)
    values (this_cart, this_product, this_quantity, price)
    on conflict (cart_id, product_id)
    do update set quantity = excluded.quantity, price_cents = excluded.price_cents;
    insert into interactions (user_id, product_id, kind, quantity)
    select buyer, this_product, 'cart', this_quantity
    where buyer is not null;
    result := case when there then 'put' else 'first' end;
end
$$;

-- As in V3, but for popularity.
create or replace function settle_payment(
    this_order uuid, outcome text, attempt_key text,
    out answer text, out changed boolean
)
    language plpgsql
as $$
declare
    buyer uuid;
    waiting boolean;
    kept text;
begin
    select o.user_id, o.status, o.status = 'pending_payment' and o.payment = 'pending'
    into buyer, answer, waiting
    from orders o
    where o.id = this_order
    for no key update;

    changed := waiting and outcome in ('captured', 'declined');
    if changed and outcome = 'captured' then
        answer := 'paid';
        update orders o
        set status = 'paid', payment = 'captured', payment_due_at = null, updated_at = now()
        where o.id = this_order;
        -- What was sold is more popular, and the recommender learns of the purchase.
        with locked as (
            select p.id, p.popularity, p.popularity_exact, i.quantity
            from products p
            join order_items i on i.product_id = p.id
            where i.order_id = this_order
            order by p.id
            for no key update of p
        )
        update products p
        set popularity_exact = s.popularity, popularity = popularity_step(s.popularity)
        from locked, lateral (
            select popularity_sum(
                greatest(locked.popularity, locked.popularity_exact), popularity_of(locked.quantity, now())
            ) as popularity
        ) s
        where locked.id = p.id;
        insert into interactions (user_id, product_id, kind, quantity)
        select buyer, i.product_id, 'purchase', i.quantity
        from order_items i
        where i.order_id = this_order and buyer is not null;
    elsif changed then
        answer := 'payment_failed';
        update orders o
        set status = 'payment_failed', payment = 'declined', payment_due_at = null, updated_at = now(),
            shipping_address = case when buyer is not null then o.shipping_address end
        where o.id = this_order;
        -- The cart before the products, as in a checkout, which would else empty it of what returns here.
        perform from carts c where c.user_id = buyer for update;
        perform return_stock(this_order);
        -- As far as the cart, which may have filled meanwhile, has room for it.
        insert into cart_items (cart_id, product_id, quantity, price_cents)
        select c.id, i.product_id, least(i.quantity, 99), i.unit_price_cents
        from carts c
        join order_items i on i.order_id = this_order
        where c.user_id = buyer
        order by i.product_id
        limit (
            select greatest(50 - count(*), 0)
            from cart_items i
            join carts c on c.id = i.cart_id
            where c.user_id = buyer
        )
        on conflict (cart_id, product_id) do nothing;
    end if;
    if changed then
        insert into outbox (order_id, kind, payload)
        values (this_order, 'order.' || answer, jsonb_build_object('order_id', this_order, 'status', answer));
    end if;

    if attempt_key is not null then
        update idempotency_keys k
        set answer = coalesce(k.answer, settle_payment.answer)
        where k.user_id = buyer and k.key = attempt_key
        returning k.answer into kept;
        -- The key is gone with its owner where the account was deleted meanwhile.
        answer := coalesce(kept, answer);
    end if;
end
$$;
