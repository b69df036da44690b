-- What a checkout need not wait for leaves it: of what was sold, products become more popular and the recommender learns a
-- moment later, for many sales together (src/backend/db/sales.rs).

-- Sales that are not counted yet. Of no other table's keys: a row lives for a second, and outlives nothing.
create table uncounted_sales (
    order_id uuid primary key,
    -- When it was paid.
    at       timestamptz not null default now()
);

-- As in V8, but what was sold waits to be counted. Replicas of the version before call it as well: the first of this version
-- counts for them.
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
        insert into uncounted_sales (order_id) values (this_order);
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

-- One plan serves carts of any size. PostgreSQL takes that for arrays of ten, finds shorter ones cheaper to plan for, and
-- would plan the taking of the stock anew for each order, which took longer than taking it.
alter function place_order(uuid, text, bytea, uuid, jsonb, text, text, interval, bigint)
    set plan_cache_mode = force_generic_plan;
