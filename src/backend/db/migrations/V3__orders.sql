-- Carts in one call, checkout in two, payments that are followed to their end, and events that are published in order.

-- The price when the product was put in, so that a customer sees a change.
alter table cart_items add column price_cents bigint check (price_cents >= 0);
update cart_items i set price_cents = p.price_cents from products p where p.id = i.product_id;
alter table cart_items alter column price_cents set not null;

-- Puts a quantity of a product into the cart of the buyer or else of the guest, in place of what there was; the cart is
-- made where there is none. `result` is
--   put      it is in
--   unknown  there is no such product for sale
--   full     the cart holds as many different products as it may
create function put_cart_item(
    buyer uuid, guest bytea, new_cart uuid, this_product uuid, this_quantity integer, max_items bigint,
    out result text
)
    language plpgsql
as $$
declare
    this_cart uuid;
    price bigint;
begin
    select p.price_cents into price from products p where p.id = this_product and p.archived_at is null;
    if not found then
        result := 'unknown';
        return;
    end if;
    -- The update changes nothing but the time: it makes the row's lock ours, so that carts cannot grow side by side.
    if buyer is not null then
        insert into carts as c (id, user_id) values (new_cart, buyer)
        on conflict (user_id) do update set updated_at = now()
        returning c.id into this_cart;
    else
        insert into carts as c (id, token_hash) values (new_cart, guest)
        on conflict (token_hash) do update set updated_at = now()
        returning c.id into this_cart;
    end if;
    if (
        select count(*) >= max_items from cart_items i where i.cart_id = this_cart and i.product_id <> this_product
    ) then
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
    result := 'put';
end
$$;

-- Where the payment of an order stands, as far as the shop knows:
--   pending    asked for; the answer is not known
--   captured   the money is here
--   declined   the card was refused
--   releasing  the order was called off: to be voided, or given back if it was taken
--   released   voided or given back
alter table orders
    add column payment text not null default 'none'
        check (payment in ('none', 'pending', 'captured', 'declined', 'releasing', 'released')),
    -- When the worker shall look at the payment next; null once it is settled.
    add column payment_due_at timestamptz;
update orders
set payment = case status
        when 'pending_payment' then 'pending'
        when 'payment_failed' then 'declined'
        when 'cancelled' then 'releasing'
        else 'captured'
    end,
    payment_due_at = case when status in ('pending_payment', 'cancelled') then now() end
where import_ref is null;

create index orders_payment_due_idx on orders (payment_due_at) where payment_due_at is not null;
create index orders_newest_idx on orders (created_at desc, id desc);
create index orders_status_idx on orders (status, created_at desc, id desc);

-- The answer to an idempotency key is the order in the status it had then: nothing else of an order changes.
alter table idempotency_keys add column answer text;
update idempotency_keys
set answer = case response_status when 402 then 'payment_failed' else response ->> 'status' end
where response is not null;
alter table idempotency_keys drop column response_status, drop column response;
create index idempotency_keys_age_idx on idempotency_keys (created_at);

-- The relay takes only the oldest unpublished event of each order.
create index outbox_order_idx on outbox (order_id, id) where published_at is null;
create index outbox_published_idx on outbox (published_at) where published_at is not null;

create index carts_guest_age_idx on carts (updated_at) where token_hash is not null;

-- The simulated payment provider's own books: no table of the shop's refers to them, and nothing but
-- `payment_provider.rs` reads or writes them.
create schema payment_provider;
create table payment_provider.charges (
    -- The provider's idempotency key.
    order_id     uuid primary key,
    status       text not null check (status in ('captured', 'declined', 'voided', 'refunded')),
    amount_cents bigint not null check (amount_cents >= 0),
    at           timestamptz not null default now()
);

-- Gives an order's units back, in the order in which a checkout locks products, so that neither waits for the other in
-- a circle.
create function return_stock(this_order uuid) returns void
    language sql
begin atomic
    with locked as (
        select p.id, i.quantity
        from products p
        join order_items i on i.product_id = p.id
        where i.order_id = this_order
        order by p.id
        for no key update of p
    ), returned as (
        update products p
        set stock = p.stock + locked.quantity, updated_at = now()
        from locked
        where locked.id = p.id
        returning p.id, locked.quantity
    )
    insert into stock_movements (product_id, delta, reason, order_id)
    select id, quantity, 'return', this_order from returned;
end;

-- Places an order of what is in the buyer's cart: guarded stock in product order, the order with its prices, its event
-- and the emptied cart, or nothing of all that. `result` is
--   placed    the order is new
--   known     the key made an order before; `answer` is the status that was answered, if it was
--   mismatch  the key belongs to another request
--   empty     nothing is in the cart
--   short     something is short: `shortages` says what
create function place_order(
    buyer uuid, attempt_key text, attempt_hash bytea, new_order uuid, ship_to jsonb, last4 text, in_currency text,
    payment_due interval,
    out result text, out this_order uuid, out answer text, out total_cents bigint, out shortages jsonb
)
    language plpgsql
as $$
declare
    known idempotency_keys;
    this_cart uuid;
    products_ uuid[];
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
    into products_, names, prices, quantities, total_cents, shortages
    from (
        select p.id, p.name, p.price_cents, i.quantity,
            case when p.archived_at is null then p.stock else 0 end as available
        from products p
        join cart_items i on i.product_id = p.id
        where i.cart_id = this_cart
        order by p.id
        for no key update of p, i
    ) l;
    if products_ is null then
        result := 'empty';
        return;
    end if;
    if shortages is not null then
        result := 'short';
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
    select new_order, * from unnest(products_, names, prices, quantities);
    update products p
    set stock = p.stock - l.quantity, updated_at = now()
    from unnest(products_, quantities) l (id, quantity)
    where p.id = l.id;
    insert into stock_movements (product_id, delta, reason, order_id)
    select l.id, -l.quantity, 'order', new_order from unnest(products_, quantities) l (id, quantity);
    delete from cart_items i where i.cart_id = this_cart and i.product_id = any (products_);
    insert into outbox (order_id, kind, payload)
    values (
        new_order, 'order.placed',
        jsonb_build_object('order_id', new_order, 'status', 'pending_payment', 'total_cents', total_cents)
    );
    result := 'placed';
    this_order := new_order;
end
$$;

-- Brings an order to the status that the payment's outcome (`captured`, `declined`, `unknown`) demands, where it still
-- waits for one, and keeps the answer to an idempotency key where there is one without. `answer` is what that key's
-- requests are answered, or the order's status without a key; `changed` tells whether the order's status did.
create function settle_payment(
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
            select p.id, i.quantity
            from products p
            join order_items i on i.product_id = p.id
            where i.order_id = this_order
            order by p.id
            for no key update of p
        )
        update products p
        set popularity = popularity_sum(p.popularity, popularity_of(locked.quantity, now()))
        from locked
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
