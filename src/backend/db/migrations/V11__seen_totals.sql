-- A customer pays what the customer was shown. As in V3, and `result` may also be
--   changed   the cart costs another sum than `seen_total`, where one is given; `total_cents` is the present one
-- `product_ids` tells whose stock has changed.
create function place_order(
    buyer uuid, attempt_key text, attempt_hash bytea, new_order uuid, ship_to jsonb, last4 text, in_currency text,
    payment_due interval, seen_total bigint,
    out result text, out this_order uuid, out answer text, out total_cents bigint, out shortages jsonb,
    out product_ids uuid[]
)
    language plpgsql
as $$
declare
    known idempotency_keys;
    this_cart uuid;
    names text[];
    prices bigint[];
    quantities integer[];
begin
    -- The cart's lock makes a second checkout of the same cart wait, and then find the key used or the cart empty.
    select c.id into this_cart from carts c where c.user_id = buyer for update;
    select k.* into known from idempotency_keys k where k.user_id = buyer and k.key = attempt_key;
    if found then
        result := case when known.request_hash = attempt_hash then 'known' else 'mismatch' end;
        this_order := known.order_id;
        answer := known.answer;
        select o.total_cents into total_cents from orders o where o.id = known.order_id;
        return;
    end if;

    -- The lock leaves keys alone, so that rows which refer to a product, such as those of other carts, need not wait
    -- for it. The cart's rows are locked too: one that was deleted meanwhile would be ordered, but not taken.
    select array_agg(l.id order by l.id), array_agg(l.name order by l.id), array_agg(l.price_cents order by l.id),
        array_agg(l.quantity order by l.id), sum(l.price_cents * l.quantity),
        jsonb_agg(jsonb_build_object(
            'product_id', l.id, 'name', l.name, 'requested', l.quantity, 'available', l.available
        ) order by l.id) filter (where l.available < l.quantity)
    into product_ids, names, prices, quantities, total_cents, shortages
    from (
        select p.id, p.name, p.price_cents, i.quantity,
            case when p.archived_at is null then p.stock else 0 end as available
        from products p
        join cart_items i on i.product_id = p.id
        where i.cart_id = this_cart
        order by p.id
        for no key update of p, i
    ) l;
    if product_ids is null then
        result := 'empty';
        return;
    end if;
    if shortages is not null then
        result := 'short';
        return;
    end if;
    if seen_total <> total_cents then
        result := 'changed';
        return;
    end if;

    insert into orders (
        id, user_id, status, total_cents, currency, shipping_address, card_last4, payment, payment_due_at
    ) values (
        new_order, buyer, 'pending_payment', total_cents, in_currency, ship_to, last4, 'pending', now() + payment_due
    );
    insert into idempotency_keys (user_id, key, request_hash, order_id)
    values (buyer, attempt_key, attempt_hash, new_order);
    insert into order_items (order_id, product_id, name, unit_price_cents, quantity)
    select new_order, * from unnest(product_ids, names, prices, quantities);
    update products p
    set stock = p.stock - l.quantity, updated_at = now()
    from unnest(product_ids, quantities) l (id, quantity)
    where p.id = l.id;
    insert into stock_movements (product_id, delta, reason, order_id)
    select l.id, -l.quantity, 'order', new_order from unnest(product_ids, quantities) l (id, quantity);
    delete from cart_items i where i.cart_id = this_cart and i.product_id = any (product_ids);
    insert into outbox (order_id, kind, payload)
    values (
        new_order, 'order.placed',
        jsonb_build_object('order_id', new_order, 'status', 'pending_payment', 'total_cents', total_cents)
    );
    result := 'placed';
    this_order := new_order;
end
$$;

-- What replicas of the version before call, until the next version drops it.
create or replace function place_order(
    buyer uuid, attempt_key text, attempt_hash bytea, new_order uuid, ship_to jsonb, last4 text, in_currency text,
    payment_due interval,
    out result text, out this_order uuid, out answer text, out total_cents bigint, out shortages jsonb
)
    language sql
begin atomic
    select p.result, p.this_order, p.answer, p.total_cents, p.shortages from place_order(
        buyer, attempt_key, attempt_hash, new_order, ship_to, last4, in_currency, payment_due, null
    ) p;
end;

-- As in V8, but the recommender learns of a product once for each time that it comes into a cart, and not with every change
-- of its quantity.
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
    select count(*) filter (where i.product_id <> this_product), count(*) filter (where i.product_id = this_product) > 0
    into others, there
    from cart_items i where i.cart_id = this_cart;
    if others >= max_items then
        result := 'full';
        return;
    end if;
    insert into cart_items (cart_id, product_id, quantity, price_cents)
    values (this_cart, this_product, this_quantity, price)
    on conflict (cart_id, product_id)
    do update set quantity = excluded.quantity, price_cents = excluded.price_cents;
    if buyer is not null and not there then
        insert into interactions (user_id, product_id, kind, quantity)
        values (buyer, this_product, 'cart', this_quantity);
    end if;
    result := case when others > 0 or there then 'put' else 'first' end;
end
$$;
