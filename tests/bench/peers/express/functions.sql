-- What the Express shop does in the database: one function and one round trip for each write, JSON made where the rows are.
create schema if not exists peer;

create or replace function peer.cart(buyer uuid) returns text
    language sql stable
    return (
        select json_build_object(
            'items', coalesce(json_agg(json_build_object(
                'product', json_build_object(
                    'id', p.id, 'sku', p.sku, 'name', p.name, 'description', p.description, 'category', p.category,
                    'tags', p.tags, 'price_cents', p.price_cents, 'currency', p.currency,
                    'stock', case when p.archived_at is null then p.stock else 0 end,
                    'image_url', coalesce(p.image_url, '/api/products/' || p.id || '/picture.svg'),
                    'version', p.version, 'created_at', p.created_at, 'updated_at', p.updated_at),
                'quantity', i.quantity,
                'line_total_cents', p.price_cents * i.quantity,
                'added_price_cents', i.price_cents) order by i.added_at, p.id), '[]'),
            'total_cents', coalesce(sum(p.price_cents * i.quantity), 0),
            'currency', 'GBP',
            'item_count', coalesce(sum(i.quantity), 0))::text
        from carts c join cart_items i on i.cart_id = c.id join products p on p.id = i.product_id
        where c.user_id = buyer);

create or replace function peer.put_cart_item(
    buyer uuid, new_cart uuid, this_product uuid, this_quantity integer, out result text, out cart text
)
    language plpgsql
as $$
begin
    -- As the shop has it: a cart does not wait for the disk.
    perform set_config('synchronous_commit', 'off', true);
    result := put_cart_item(buyer, null, new_cart, this_product, this_quantity, 50);
    cart := peer.cart(buyer);
end
$$;

create or replace function peer.checkout(
    buyer uuid, attempt_key text, attempt_hash bytea, new_order uuid, ship_to jsonb, last4 text, outcome text,
    out result text, out answer text, out placed text, out shortages jsonb
)
    language plpgsql
as $$
declare
    this_order uuid;
    total bigint;
begin
    select o.result, o.this_order, o.answer, o.total_cents, o.shortages
    into result, this_order, answer, total, shortages
    from place_order(
        buyer, attempt_key, attempt_hash, new_order, ship_to, last4, 'GBP', interval '8 seconds', null
    ) o;
    if result = 'placed' then
        insert into payment_provider.charges (order_id, status, amount_cents) values (this_order, outcome, total);
        answer := (settle_payment(this_order, outcome, attempt_key)).answer;
    elsif result <> 'known' then
        return;
    end if;
    select json_build_object(
        'id', o.id, 'status', o.status, 'total_cents', o.total_cents, 'currency', o.currency,
        'shipping_address', o.shipping_address, 'created_at', o.created_at,
        'items', (
            select json_agg(json_build_object(
                'product_id', i.product_id, 'name', i.name, 'unit_price_cents', i.unit_price_cents,
                'quantity', i.quantity, 'line_total_cents', i.unit_price_cents * i.quantity) order by i.product_id)
            from order_items i where i.order_id = o.id))::text
    into placed
    from orders o where o.id = this_order;
end
$$;
